"""Read a listener from a command line: addresses, and MATCHER=BACKEND pairs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import starmap

import attrs

from portmux.config.faults import Faults, guess, listed, quoted
from portmux.config.tree import Items, Node, Origin, Scalar, Style, Table, table
from portmux.core.registry import Registry

LISTENER = "front"
"""Its name: for C{--set}, and in records."""

PAIR = "MATCHER=BACKEND"

_EXAMPLE = f"{PAIR} such as ssh=127.0.0.1:22"


@attrs.frozen
class Compact:
    """
    @ivar listen: addresses; C{:PORT} is every address of both families.
    @ivar routes: C{MATCHER=BACKEND}, in the order in which they are asked.
    """

    listen: tuple[str, ...]
    routes: tuple[str, ...]


def bare_matchers(registry: Registry) -> list[str]:
    """@return: names of the matchers that need no option."""
    return [name for name, kind in registry.matchers.items() if _is_bare(kind)]


def parse(given: Compact, registry: Registry, faults: Faults) -> Table:
    """@return: what a file with that listener would be."""
    origin = Origin(f"--listen {given.listen[0]}" if given.listen else given.routes[0])
    if not given.listen:
        faults.add(origin, "is a route without --listen ADDRESS, such as --listen :443")
    if not given.routes:
        allowed = listed(bare_matchers(registry))
        text = f"has no route, {_EXAMPLE} is needed; matchers: {allowed}"
        faults.add(origin, text)
    if not (given.listen and given.routes):
        faults.check()
    listener = table(
        origin,
        bind=Items(origin, tuple(starmap(_bind, enumerate(given.listen)))),
        routes=Items(origin, tuple(_routes(given, registry, faults))),
    )
    return _within(origin, "listeners", _within(origin, LISTENER, listener))


def _bind(index: int, address: str) -> Node:
    said = ("listeners", LISTENER, "bind", str(index))
    whole = f"*{address}" if re.fullmatch(":[^:]*", address) else address
    return Scalar(whole, Origin(f"--listen {address}", said=said), Style.QUOTED)


def _routes(given: Compact, registry: Registry, faults: Faults) -> Iterator[Node]:
    """@return: a route for each pair; a broken one where it cannot be understood."""
    allowed = bare_matchers(registry)
    seen: Counter[str] = Counter()
    for index, pair in enumerate(given.routes):
        said = ("listeners", LISTENER, "routes", str(index))
        origin = Origin(pair, said=said)
        matcher, equals, backend = pair.partition("=")
        if not equals:
            faults.add(origin, f"is not {_EXAMPLE}")
            yield Scalar(pair, origin, Style.BROKEN)
        elif matcher not in allowed:
            why = "needs options" if matcher in registry.matchers else "is no matcher"
            text = f"{quoted(matcher)} {why}, allowed: {listed(allowed)}"
            faults.add(origin, text + guess(matcher, allowed))
            yield Scalar(pair, origin, Style.BROKEN)
        elif not backend:
            faults.add(origin, f"has no backend, {_EXAMPLE} is allowed")
            yield Scalar(pair, origin, Style.BROKEN)
        else:
            seen[matcher] += 1
            count = seen[matcher]
            yield table(
                origin,
                name=_word(origin, f"{matcher}-{count}" if count > 1 else matcher),
                match=_word(origin, matcher),
                forward=_word(Origin(pair, said=(*said, "forward")), backend),
            )


def _word(origin: Origin, text: str) -> Node:
    return Scalar(text, origin, Style.QUOTED)


def _within(origin: Origin, key: str, node: Node) -> Table:
    return table(origin, **{key: node})


def _is_bare(kind: type[object]) -> bool:
    try:
        kind()
    except (TypeError, ValueError):
        return False
    return True
