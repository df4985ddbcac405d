"""Whether one matcher matches no more than another of its kind, by their options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from portmux.core.head import Matcher
from portmux.core.match.http import Http
from portmux.core.match.local import Local
from portmux.core.match.source import Source
from portmux.core.match.tls import Tls
from portmux.core.network import Network, Ports
from portmux.core.pattern import Pattern


def is_narrower(one: Matcher, other: Matcher) -> bool:
    """
    @return: it is proven that a YES of C{one} comes with a YES of C{other}, at
        the same octet; also for two that are equal.
    """
    narrower = _NARROWER.get(type(one))
    return type(one) is type(other) and narrower is not None and narrower(one, other)


def _narrower_tls(one: Tls, other: Tls) -> bool:
    return _fewer_patterns(one.sni, other.sni) and _fewer(one.alpn, other.alpn)


def _narrower_http(one: Http, other: Http) -> bool:
    fields = {name.lower(): values for name, values in one.header.items()}
    return (
        _fewer(one.method, other.method)
        and _fewer_patterns(one.host, other.host)
        and _fewer_patterns(one.path, other.path, fold=False)
        and all(
            _fewer_patterns(fields.get(name.lower(), ()), values, fold=False)
            for name, values in other.header.items()
        )
    )


def _narrower_place(one: Source | Local, other: Source | Local) -> bool:
    return _fewer_networks(one.address, other.address) and (
        not other.port
        or (bool(one.port) and _port_numbers(one.port) <= _port_numbers(other.port))
    )


_NARROWER: Final[Mapping[type[Any], Callable[[Any, Any], bool]]] = {
    Http: _narrower_http,
    Local: _narrower_place,
    Source: _narrower_place,
    Tls: _narrower_tls,
}


def _fewer(ones: Sequence[str], others: Sequence[str]) -> bool:
    """No value at all means any."""
    return not others or (bool(ones) and set(ones) <= set(others))


def _fewer_patterns(
    ones: Sequence[Pattern], others: Sequence[Pattern], fold: bool = True
) -> bool:
    if not others or not ones:
        return not others
    return all(any(_fits(one, o, fold) for o in others) for one in ones)


def _fits(one: Pattern, other: Pattern, fold: bool) -> bool:
    """@return: all that C{one} fits, C{other} fits too."""
    if one == other:
        return True
    if one.glob is None or any(special in one.glob for special in "?["):
        return False
    glob, *rest = one.glob.split("*")
    if not rest:
        test = other.ignoring_case() if fold else other.matches
        return "[" not in (other.glob or "") and test(glob.lower() if fold else glob)
    return other.glob is not None and _wider(one.glob, other.glob, fold)


def _wider(one: str, other: str, fold: bool) -> bool:
    """@return: C{other} is a piece of the text of C{one} with C{*} around it."""
    if fold:
        one, other = one.lower(), other.lower()
    text = other.strip("*")
    if any(special in text for special in "*?["):
        return False
    if other.startswith("*") and other.endswith("*"):
        return not text or any(text in part for part in one.split("*"))
    if other.startswith("*"):
        return one.rpartition("*")[2].endswith(text)
    return other.endswith("*") and one.partition("*")[0].startswith(text)


def _fewer_networks(ones: Sequence[Network], others: Sequence[Network]) -> bool:
    if not others or not ones:
        return not others
    return all(any(o.low <= n.low and n.high <= o.high for o in others) for n in ones)


def _port_numbers(ports: Sequence[Ports]) -> set[int]:
    return {number for number in range(65536) if any(number in one for one in ports)}
