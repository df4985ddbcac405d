"""What holds for every reader, however a stream is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from portmux.core.frame.framer import Frame, Framer, Reader
from portmux.errors import Malformed
from portmux.testing import steps

Make = Callable[[], Reader]


def frames(
    make: Make, data: bytes, cuts: Iterable[int] = (), request: Frame | None = None
) -> tuple[list[Frame], str | None, int]:
    """@return: the frames of a stream, the fault behind them, and what is held."""
    reader, found = make(), list[Frame]()
    ends = [0, *sorted(cut for cut in set(cuts) if cut < len(data)), len(data)]
    for start, end in pairwise(ends):
        reader.feed(data[start:end])
        try:
            while (frame := reader.read(request)) is not None:
                found.append(frame)
        except Malformed as fault:
            return found, str(fault), 0
    return found, None, reader.held


def at_every_cut(
    make: Make, data: bytes, request: Frame | None = None
) -> tuple[list[Frame], str | None, int]:
    """
    Read the stream at once, cut in two at each place, and octet by octet.

    @raise AssertionError: it makes a difference.
    """
    whole = frames(make, data, (), request)
    for cut in range(1, len(data)):
        seen = frames(make, data, (cut,), request)
        assert seen == whole, f"{seen} cut at {cut}, else {whole}"
    seen = frames(make, data, range(1, len(data)), request)
    assert seen == whole, f"{seen} octet by octet, else {whole}"
    return whole


def read(make: Make, data: bytes, request: Frame | None = None) -> list[bytes]:
    """@return: the frames of a stream of whole ones, the same at every cut."""
    found, fault, held = at_every_cut(make, data, request)
    assert (fault, held) == (None, 0), (fault, held)
    return [frame.data for frame in found]


def fault(make: Make, data: bytes, request: Frame | None = None) -> str | None:
    """@return: what is wrong with a stream, the same at every cut."""
    return at_every_cut(make, data, request)[1]


def both(framer: Framer, stream: Sequence[bytes]) -> None:
    """@raise AssertionError: these frames are not found in a stream of them."""
    for make in (framer.requests, framer.answers):
        assert read(make, b"".join(stream)) == list(stream)


def work(make: Make, data: bytes, request: Frame | None = None) -> int:
    """@return: lines executed for a stream that comes octet by octet."""
    return steps(lambda: frames(make, data, range(len(data)), request))
