"""
Relay between pairs of sockets in a thread without the interpreter's lock.

Optional: built from C{native/} where there is a compiler. A L{Loop} and its pairs
are for one thread of Python's, the same one always.
"""

from typing import TypeVar

_P = TypeVar("_P", bound=Pair)

class Pair:
    """A client's socket and its backend's. Counts may be read at any time."""

    @property
    def sent(self) -> int:
        """Octets that the backend's socket has accepted."""

    @property
    def received(self) -> int:
        """Octets that the client's socket has accepted."""

    @property
    def client_ended(self) -> bool:
        """Whether the client will send no more."""

    @property
    def backend_ended(self) -> bool:
        """Whether the backend will send no more."""

    @property
    def end(self) -> str:
        """The record's word for how it ended; empty until L{Loop.over} gave it."""

    @property
    def detail(self) -> str:
        """What the system said about an end that is an C{error}."""

class Loop:
    """A thread that relays; it runs at once, and until L{close}."""

    def __init__(self, pipes: int, /) -> None:
        """
        @param pipes: how many may be open at a time, with two descriptors each; where
            there is none, bytes are copied. Three more descriptors are its own.
        @raise OSError: no thread, no descriptor or no memory for one.
        """

    def fileno(self) -> int:
        """Readable when L{over} has something to give."""

    def begin(
        self,
        pair: Pair,
        client: int,
        backend: int,
        rest: bytes,
        client_ended: bool,
        idle: float | None,
        half_close: float | None,
        /,
    ) -> None:
        """
        Relay from now on. The descriptors are the loop's, unless this raises.

        @param client: may be in blocking mode.
        @param rest: what the backend is to have first; counts as C{sent} later.
        @param idle: seconds without a byte until the end; None: any time.
        @param half_close: seconds without a byte once one side has ended, if that
            is less.
        @raise OSError: the system can watch no more.
        @raise ValueError: the pair was begun before, or the loop is closed.
        """

    def stop(self, pair: Pair, reset: bool = True, /) -> None:
        """
        Have both sides reset soon; L{over} tells when. Twice is as good as once.

        @param reset: else both are closed: what was written arrives, and the end.
        """

    def settle(self) -> None:
        """Wait until L{over} gives all that is over by now; for 50 ms at most."""

    def quiet(self, pair: Pair, /) -> float:
        """Seconds since a byte has moved."""

    def over(self) -> list[Pair]:
        """Take the pairs whose sockets are closed, in the order of that."""

    def advance(self, seconds: float, /) -> None:
        """Have the clock that deadlines go by jump forward: for tests."""

    def close(self) -> list[Pair]:
        """The last call: reset what is left, end the thread, take the last pairs."""
