"""Short sessions at a pace, each of which asks twice: what becomes of them."""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

#: As wire.h tells it: a connection on which every octet comes back.
OPENING: Final = b"GET /p HTTP/1.1\r\nHost: bench\r\nX-Fill: %s\r\n\r\n" % (b"-" * 22)

PATIENCE: Final = 10.0
"""Seconds that a session may take; one that takes longer has failed."""

SERVED: Final = "served"
REFUSED: Final = "refused"


@dataclass(eq=False)
class Session:
    """
    One client.

    @ivar number: its port, by which its record is found.
    @ivar asked: how often it has asked.
    @ivar missing: octets of the answer that it waits for.
    @ivar due: when it asks again; or when it has waited for too long.
    """

    sock: socket.socket
    number: int = 0
    asked: int = 0
    missing: int = 0
    due: float = 0.0


class Sessions:
    """
    @ivar ended: of each session its port, and L{SERVED} or why it failed;
        C{REFUSED} where it was not connected.
    """

    def __init__(self, port: int, pace: float, hold: float) -> None:
        """
        @param pace: sessions a second.
        @param hold: seconds between the first answer and the second question.
        """
        self._address = "127.0.0.1", port
        self._pace = pace
        self._hold = hold
        self._selector = selectors.DefaultSelector()
        self._held: deque[Session] = deque()
        self._waiting: dict[Session, float] = {}
        self.ended: list[tuple[int, str]] = []

    def run(self, seconds: float) -> float:
        """
        Begin sessions for so long, and wait until all are over.

        @return: how many a second were begun.
        """
        begun, start = 0, time.monotonic()
        while (now := time.monotonic()) < start + seconds:
            while start + begun / self._pace <= now:
                self._begin(now)
                begun += 1
            self._turn(start + begun / self._pace)
        took = time.monotonic() - start
        while self._held or self._waiting:
            self._turn(time.monotonic() + 0.01)
        self._selector.close()
        return begun / took

    def _begin(self, now: float) -> None:
        session = Session(socket.socket())
        session.sock.setblocking(False)
        session.sock.connect_ex(self._address)
        self._waiting[session] = now + PATIENCE
        self._selector.register(session.sock, selectors.EVENT_WRITE, session)

    def _turn(self, until: float) -> None:
        """Do what is due, and what becomes possible before C{until}."""
        now = time.monotonic()
        while self._held and self._held[0].due <= now:
            session = self._held.popleft()
            self._waiting[session] = now + PATIENCE
            self._try(session, self._ask)
        # They wait in the order in which their patience ends.
        while self._waiting and next(iter(self._waiting.values())) < now:
            self._end(next(iter(self._waiting)), "timeout")
        if self._held:
            until = min(until, self._held[0].due)
        for key, _ in self._selector.select(max(0.0, until - now)):
            session = cast(Session, key.data)
            connected = session.asked > 0
            self._try(session, self._answered if connected else self._connected)

    def _try(self, session: Session, step: Callable[[Session], None]) -> None:
        try:
            step(session)
        except OSError as why:
            self._end(session, type(why).__name__ if session.asked else REFUSED)

    def _connected(self, session: Session) -> None:
        error = session.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "")
        session.number = session.sock.getsockname()[1]
        self._selector.unregister(session.sock)
        self._ask(session)

    def _ask(self, session: Session) -> None:
        session.asked += 1
        session.missing = len(OPENING)
        self._selector.register(session.sock, selectors.EVENT_READ, session)
        session.sock.sendall(OPENING)

    def _answered(self, session: Session) -> None:
        data = session.sock.recv(session.missing)
        session.missing -= len(data)
        if not data:
            self._end(session, "cut")
        elif not session.missing and session.asked == 2:
            self._end(session, SERVED)
        elif not session.missing:
            # Nobody listens while it thinks: a backend that ends is noticed then.
            self._selector.unregister(session.sock)
            del self._waiting[session]
            session.due = time.monotonic() + self._hold
            self._held.append(session)

    def _end(self, session: Session, how: str) -> None:
        self._waiting.pop(session, None)
        if session.sock in self._selector.get_map():
            self._selector.unregister(session.sock)
        session.sock.close()
        self.ended.append((session.number, how))
