"""
Helpers for tests of matchers and parsers, ours and those of extensions.

They check what no single example shows: that a verdict is final, that it does
not depend on how the bytes were cut, that any bytes may come, and that the work
is linear. Needs Hypothesis.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FrameType
from typing import Any, SupportsIndex, overload

from hypothesis import strategies as st

from portmux.core.address import Address, Host
from portmux.core.head import Head, Matcher, Opens, Verdict, judge

SOURCE = Host("192.0.2.7", 50007)
"""Where connections of tests come from, unless they say otherwise (RFC 5737)."""

LOCAL = Host("198.51.100.1", 443)
"""The address that they connect to."""


def head_of(
    data: bytes = b"",
    source: Address = SOURCE,
    local: Address = LOCAL,
    at: float = 0.0,
) -> Head:
    """@return: a connection that has sent C{data}."""
    return Head(bytearray(data), source, local, at)


def verdict_of(
    matcher: Matcher, data: bytes, source: Address = SOURCE, local: Address = LOCAL
) -> Verdict:
    """@return: the verdict on all of C{data} in one segment."""
    return judge(matcher, head_of(data, source, local))


def verdicts(
    matcher: Matcher, data: bytes, source: Address = SOURCE, local: Address = LOCAL
) -> list[Verdict]:
    """
    Let one connection send C{data} octet by octet.

    @return: the verdicts on all beginnings of C{data}, the empty one first.
    @raise AssertionError: a verdict was not final, was another one when the same
        octets came at once, or contradicts what the matcher says of first octets.
    """
    head = head_of(b"", source, local)
    given: list[Verdict] = []
    for size in range(len(data) + 1):
        head.data += data[len(head.data) : size]
        verdict = judge(matcher, head)
        if given and given[-1] is not Verdict.MORE:
            _agree(verdict, given[-1], "was final", data[:size])
        given.append(verdict)
    for size, verdict in enumerate(given):
        _agree(
            verdict_of(matcher, data[:size], source, local),
            verdict,
            "by octets",
            data[:size],
        )
    _check_first(matcher, data, given)
    matcher.why(head)
    return given


def assert_every_cut(
    matcher: Matcher, data: bytes, source: Address = SOURCE, local: Address = LOCAL
) -> Verdict:
    """
    Cut C{data} in two at every place, and into single octets.

    @return: the verdict on all of it.
    @raise AssertionError: as in L{verdicts}.
    """
    given = verdicts(matcher, data, source, local)
    for cut in range(1, len(data)):
        head = head_of(data[:cut], source, local)
        _agree(judge(matcher, head), given[cut], "by octets", data[:cut])
        head.data += data[cut:]
        _agree(judge(matcher, head), given[-1], f"cut at {cut}", data)
    return given[-1]


def recognised(matcher: Matcher, openings: Mapping[str, bytes]) -> set[str]:
    """
    @param openings: first bytes of several programs, by name.
    @return: the names of those that match.
    @raise AssertionError: as in L{verdicts}.
    """
    return {
        name
        for name, data in openings.items()
        if verdicts(matcher, data)[-1] is Verdict.YES
    }


def noise(openings: Iterable[bytes] = ()) -> st.SearchStrategy[bytes]:
    """
    @param openings: valid beginnings of what is tested.
    @return: any bytes, and openings that were cut, changed and continued.
    """
    known = list(openings)
    if not known:
        return st.binary(max_size=200)
    damaged = st.builds(
        lambda data, at, put, cut: (
            data[: at % (len(data) + 1)] + put + data[at % (len(data) + 1) + cut :]
        ),
        st.sampled_from(known),
        st.integers(0, 4000),
        st.binary(max_size=4),
        st.integers(0, 4),
    )
    return st.binary(max_size=200) | damaged


def _agree(one: Verdict, other: Verdict, how: str, data: bytes) -> None:
    if one is not other:
        raise AssertionError(
            f"{one.name}, but {other.name} {how}, on {len(data)} octets: {data[:64]!r}"
        )


def _check_first(matcher: Matcher, data: bytes, given: list[Verdict]) -> None:
    first = matcher.first() if isinstance(matcher, Opens) else None
    if first is None:
        return
    _agree(given[0], Verdict.MORE, "promised by first()", b"")
    if data and data[0] not in first:
        _agree(given[1], Verdict.NO, "promised by first()", data[:1])


class CountingBuffer(bytearray):
    """
    Received bytes that count how often they are read.

    What is handed to C code as a whole (regular expressions) is not counted.

    @ivar octets: read so far by index, slice, loop, comparison and search.
    """

    octets: int = 0

    @overload
    def __getitem__(self, key: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> bytearray: ...
    def __getitem__(self, key: SupportsIndex | slice) -> int | bytearray:
        found = super().__getitem__(key)
        self.octets += len(found) if isinstance(found, bytearray) else 1
        return found

    def __iter__(self) -> Iterator[int]:
        self.octets += len(self)
        return super().__iter__()

    def startswith(self, prefix: Any, *bounds: Any) -> bool:
        prefixes = prefix if isinstance(prefix, tuple) else (prefix,)
        self.octets += sum(min(len(one), len(self)) for one in prefixes)
        return super().startswith(prefix, *bounds)

    def find(self, octets: Any, start: Any = 0, *end: Any) -> int:
        self.octets += max(0, len(self) - start)
        return super().find(octets, start, *end)


def steps(run: Callable[[], Any]) -> int:
    """@return: how many lines of Python C{run} executes: work without a clock."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()  # what is done for what others have left is not its work
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
    return count


def trickle(matcher: Matcher, data: bytes) -> int:
    """
    Let a connection send C{data} octet by octet.

    @return: the work done for it, in lines executed and octets read.
    """
    head = head_of()
    head.data = buffer = CountingBuffer()

    def feed() -> None:
        for octet in data:
            buffer.append(octet)
            if judge(matcher, head) is not Verdict.MORE:
                break

    return steps(feed) + buffer.octets
