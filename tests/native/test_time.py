"""Deadlines of L{portmux._relay}; its clock is set forward by hand."""

from __future__ import annotations

import socket

from tests.native.rig import LINGER, PATIENCE, LoopCase, is_broken, sending, tcp
from tests.sockets import receive, reset

SOON = 1.0
"""Seconds; more than real time takes, or the wheel is late, and less than waits."""


class IdleTests(LoopCase):
    """Without a byte for so long, a pair ends."""

    connect = staticmethod(tcp)

    def test_idle(self) -> None:
        """Both sides are told the end, in order."""
        made = self.relayed(idle=60)
        self.synchronise(made)
        self.loop.advance(60 - SOON)
        self.assertEqual(self.loop.over(), [])
        self.synchronise(made)
        self.loop.advance(60 + SOON)
        self.assertEqual(receive(made.backend), b"")
        self.assertEqual(receive(made.client), b"")
        self.check(made, "idle-timeout", 2, 2)

    def test_each_byte_counts(self) -> None:
        """Either way."""
        made = self.relayed(idle=60)
        for source, target in [
            (made.client, made.backend),
            (made.backend, made.client),
        ] * 3:
            self.loop.advance(60 - SOON)
            source.sendall(b"x")
            self.assertEqual(target.recv(10), b"x")
        self.loop.advance(60 + SOON)
        self.check(made, "idle-timeout", 3, 3)

    def test_longer_than_the_wheel(self) -> None:
        """A day is as exact as a minute."""
        made = self.relayed(idle=86_400)
        for _ in range(23):
            self.loop.advance(3_600)
            self.assertGreaterEqual(self.loop.quiet(made.pair), 0)
        self.loop.advance(3_600 - SOON)
        self.synchronise(made)
        self.loop.advance(86_400 + SOON)
        self.check(made, "idle-timeout", 1, 1)

    def test_any_time(self) -> None:
        """None is for ever."""
        made = self.relayed()
        self.loop.advance(1e9)
        self.synchronise(made)

    def test_many(self) -> None:
        """Each has its own."""
        waits = [15, 500, 50, 31, 33, 7_000, 64, 70, 11]  # beyond lingering
        pairs = {wait: self.relayed(idle=wait).pair for wait in waits}
        for made in self.all:
            self.synchronise(made)
        self.loop.advance(SOON / 2)
        passed = 0
        for wait in sorted(waits):
            self.loop.advance(wait - passed)
            passed = wait
            self.assertEqual(self.over(), [pairs[wait]])

    def test_real_time(self) -> None:
        """The clock also goes by itself."""
        made = self.relayed(idle=0.05)
        self.check(made, "idle-timeout", 0, 0)

    def test_quiet(self) -> None:
        """How long no byte has moved can be asked."""
        made = self.relayed()
        self.synchronise(made)
        self.assertLess(self.loop.quiet(made.pair), SOON)
        self.loop.advance(100)
        self.assertGreaterEqual(self.loop.quiet(made.pair), 100)
        self.assertLess(self.loop.quiet(made.pair), 100 + PATIENCE)


class StuckTests(LoopCase):
    """Bytes that nobody takes. What is under way on a unix socket is known at once."""

    def test_stuck(self) -> None:
        """Bytes that nobody takes do not keep it; they have their time to arrive."""
        made = self.relayed(rest=b"last words", idle=60, full=True)
        other = self.relayed()
        self.synchronise(other)
        self.loop.advance(60 + SOON)
        self.synchronise(other)
        self.assertEqual(self.loop.over(), [])
        data = receive(made.backend)
        self.assertEqual(data, bytes(made.prefilled) + b"last words")
        self.check(made, "idle-timeout", 10, 0)

    def test_stuck_for_good(self) -> None:
        """In the end they are dropped."""
        made = self.relayed(rest=b"last words", idle=60, full=True)
        other = self.relayed()
        for wait in (60 + SOON, LINGER + SOON):
            self.synchronise(other)
            self.assertEqual(self.loop.over(), [])
            self.loop.advance(wait)
        self.check(made, "idle-timeout", 0, 0)

    def test_drains_slowly(self) -> None:
        """As long as some of it is taken, there is more time."""
        made = self.relayed(rest=b"last words", idle=60, full=True)
        other = self.relayed()
        self.synchronise(other)
        self.loop.advance(60 + SOON)
        got = 0
        for _ in range(3):
            self.synchronise(other)
            got += len(receive(made.backend, made.prefilled // 4))
            self.loop.advance(LINGER + SOON)
        got += len(receive(made.backend))
        self.assertEqual(got, made.prefilled + 10)
        self.check(made, "idle-timeout", 10, 0)


class HalfCloseTests(LoopCase):
    """Once one side has ended, the wait may be shorter."""

    connect = staticmethod(tcp)

    def test_shorter(self) -> None:
        """It counts from the last byte, or from the end of the side that ended."""
        made = self.relayed(idle=600, half_close=60)
        self.loop.advance(300)
        made.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(made.backend), b"")
        self.loop.advance(60 - SOON)
        made.backend.sendall(b"x")
        self.assertEqual(made.client.recv(10), b"x")
        self.loop.advance(60 - SOON)
        made.backend.sendall(b"x")
        self.assertEqual(made.client.recv(10), b"x")
        self.loop.advance(60 + SOON)
        self.check(made, "half-close-timeout", 0, 2)

    def test_of_the_backend(self) -> None:
        """The same when the backend has ended."""
        made = self.relayed(half_close=60)
        made.backend.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(made.client), b"")
        self.loop.advance(60 + SOON)
        self.check(made, "half-close-timeout", 0, 0)

    def test_had_ended(self) -> None:
        """The same when the client had ended before."""
        made = self.relayed(ended=True, half_close=60)
        self.assertEqual(receive(made.backend), b"")
        self.loop.advance(60 + SOON)
        self.check(made, "half-close-timeout", 0, 0)

    def test_longer(self) -> None:
        """The idle time holds for half of a connection, too."""
        made = self.relayed(idle=60, half_close=600)
        made.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(made.backend), b"")
        self.loop.advance(60 + SOON)
        self.check(made, "idle-timeout", 0, 0)

    def test_whole(self) -> None:
        """It does not hold while no side has ended."""
        made = self.relayed(half_close=60)
        self.loop.advance(600)
        self.synchronise(made)


class LingerTests(LoopCase):
    """A client that may still be reading is not cut off."""

    connect = staticmethod(tcp)
    WAIT = 3.0

    def test_client_sends_on(self) -> None:
        """It is told the end, may send on into nothing, and has all it was sent."""
        made = self.relayed(idle=self.WAIT)
        made.backend.sendall(b"answer")
        self.assertEqual(made.client.recv(100), b"answer")
        self.loop.advance(self.WAIT + SOON)
        self.assertEqual(receive(made.client), b"")
        self.assertEqual(receive(made.backend), b"")
        sending(made.client, bytes(5_000_000)).join()
        self.check(made, "idle-timeout", 0, 6)

    def test_client_does_not_end(self) -> None:
        """It has so long."""
        made = self.relayed(idle=self.WAIT)
        self.synchronise(made)
        self.loop.advance(self.WAIT + SOON)
        self.assertEqual(receive(made.client), b"")
        made.client.sendall(b"more")
        self.assertEqual(self.loop.over(), [])
        self.loop.advance(LINGER + SOON)
        self.check(made, "idle-timeout", 1, 1)
        self.assertTrue(is_broken(made.client))

    def test_client_resets(self) -> None:
        """That is its end, too."""
        made = self.relayed(idle=self.WAIT)
        self.synchronise(made)
        self.loop.advance(self.WAIT + SOON)
        self.assertEqual(receive(made.client), b"")
        reset(made.client)
        self.check(made, "idle-timeout", 1, 1)

    def test_stopped(self) -> None:
        """Stopping does not wait for it; the end stays what it was."""
        made = self.relayed(idle=self.WAIT)
        self.synchronise(made)
        self.loop.advance(self.WAIT + SOON)
        self.assertEqual(receive(made.client), b"")
        self.loop.stop(made.pair)
        self.check(made, "idle-timeout", 1, 1)
