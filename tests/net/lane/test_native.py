"""Tests for L{portmux.net.lane.native}; what its thread does is in tests/native."""

from __future__ import annotations

import os
import socket
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Unix
from portmux.core.effects import Phase, Side
from portmux.core.session import Session
from portmux.net.descriptors import Budget
from portmux.net.lane.native import MISSING, Native
from portmux.net.lane.poller import Poller
from portmux.net.live import Live
from tests.native.rig import SKIP, tcp, unix
from tests.net.logs import Logged
from tests.net.stage import LOCAL, forwarding, policy
from tests.net.turned import PATIENCE, Turned
from tests.sockets import is_reset, receive, reset


class Unwatchable(socket.socket):
    """Epoll refuses what it says that it is."""

    null: ClassVar[int]

    def fileno(self) -> int:
        return self.null


class MissingTests(SynchronousTestCase):
    """Whether there is such a relay."""

    def test_told(self) -> None:
        """It is there where the extension is; else it is told why not."""
        if SKIP is None:
            self.assertIsNone(MISSING)
        else:
            self.assertIn("_relay", str(MISSING))


class NativeTests(SynchronousTestCase):
    """
    One session at a time in the thread.

    @ivar told: the live ones that were told to be over, each once.
    """

    skip = SKIP

    def setUp(self) -> None:
        self.reactor = Turned()
        self.poller = Poller(self.reactor, lambda: None)
        self.budget = Budget(1_000)
        self.native = Native(self.poller, self.budget)
        self.told: list[Live] = []
        self.client, self.ours = tcp()
        self.backend, self.theirs = tcp()
        self.theirs.setblocking(False)
        for sock in self.ours, self.theirs:
            self.addCleanup(sock.close)
        for sock in self.client, self.backend:
            sock.settimeout(PATIENCE)

    def tearDown(self) -> None:
        for sock in self.client, self.backend:
            sock.close()
        self.native.stop()
        self.assertEqual(self.budget.taken, 0)
        self.poller.stop()
        self.assertEqual(self.reactor.left(), [])
        self.reactor.close()

    def session(
        self,
        head: bytes = b"head",
        ended: bool = False,
        idle: float | None = None,
        half_close: float | None = None,
    ) -> Session:
        """@return: one that has just been connected."""
        wanted = policy(
            fallback=forwarding(Unix("/backend")), idle=idle, half_close=half_close
        )
        session = Session(wanted, Unix(""), LOCAL, self.reactor.seconds())
        session.open()
        session.receive(head, self.reactor.seconds())
        if session.phase is Phase.SNIFF or ended:
            session.finished(Side.CLIENT, self.reactor.seconds())
        session.connected(self.reactor.seconds())
        self.assertIs(session.phase, Phase.RELAY)
        session.sent += len(head)
        session.held = b""
        return session

    def begin(self, session: Session, rest: bytes = b"") -> Live:
        return self.native.begin(
            session, self.ours, self.theirs, rest, self.told.append
        )

    def finish(self, live: Live) -> tuple[str, str, int, int]:
        """@return: end, detail and counts of its record, when it is over."""
        self.reactor.settle()
        self.reactor.until(lambda: self.told)
        self.assertEqual(self.told, [live])
        record = live.session.closed(self.reactor.seconds())
        return record.end, record.detail, record.sent, record.received

    def test_catch_up(self) -> None:
        """Who asks is told of it before the poller would."""
        self.native.catch_up()  # nothing was ever begun
        live = self.begin(self.session())
        self.client.close()
        self.backend.close()
        assert self.native.loop is not None
        self.assertEqual(self.told, [])
        for _ in range(100):  # a thread that gets no turn is not waited for long
            self.native.catch_up()
            if self.told:
                break
        self.assertEqual(self.told, [live])
        self.native.catch_up(wait=False)
        self.finish(live)

    def test_relay(self) -> None:
        """Bytes go both ways; what was sniffed is counted once."""
        live = self.begin(self.session(b"a head"), b"ead")
        self.assertEqual((self.ours.fileno(), self.theirs.fileno()), (-1, -1))
        self.client.sendall(b" and more")
        self.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(self.backend), b"ead and more")
        self.backend.sendall(b"answer")
        self.backend.close()
        self.assertEqual(receive(self.client), b"answer")
        self.assertEqual(self.finish(live), ("done", "", 15, 6))

    def test_counts_while_it_lives(self) -> None:
        """Whoever looks at the session sees what has moved, and when."""
        live = self.begin(self.session())
        self.assertEqual(live.session.sent, 4)
        self.client.sendall(b"12345")
        self.assertEqual(receive(self.backend, 5), b"12345")
        self.backend.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(self.client), b"")
        session = live.session
        self.assertEqual((session.sent, session.received), (9, 0))
        self.assertIs(session.half_closed, Side.BACKEND)
        assert self.native.loop is not None
        self.native.loop.advance(50)
        quiet = self.reactor.seconds() - live.session.touched
        self.assertGreaterEqual(quiet, 50)
        self.assertLess(quiet, 50 + PATIENCE)
        self.client.close()
        self.assertEqual(self.finish(live), ("done", "", 9, 0))

    def test_client_had_ended(self) -> None:
        """The backend is told so, and the session remembers whose end it was."""
        live = self.begin(self.session(b"all", ended=True), b"all")
        self.assertEqual(receive(self.backend), b"all")
        self.assertIs(live.session.half_closed, Side.CLIENT)
        self.backend.close()
        self.assertEqual(self.finish(live), ("done", "", 3, 0))

    def test_client_ends(self) -> None:
        """That is seen while it lives."""
        live = self.begin(self.session())
        self.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(self.backend), b"")
        self.assertIs(live.session.half_closed, Side.CLIENT)
        self.backend.close()
        self.assertEqual(self.finish(live), ("done", "", 4, 0))

    def test_lost(self) -> None:
        """The record tells whose connection was lost."""
        live = self.begin(self.session())
        reset(self.client)
        self.assertTrue(is_reset(self.backend))
        self.assertEqual(self.finish(live), ("client-lost", "", 4, 0))

    def test_backend_lost(self) -> None:
        """The same from the other side."""
        live = self.begin(self.session())
        reset(self.backend)
        self.assertTrue(is_reset(self.client))
        self.assertEqual(self.finish(live), ("backend-lost", "", 4, 0))

    def test_idle(self) -> None:
        """The policy's time holds, and the session has no deadline of its own."""
        session = self.session(idle=60)
        live = self.begin(session)
        self.assertIsNone(session.deadline)
        live.expire()
        self.client.sendall(b"x")
        self.assertEqual(receive(self.backend, 1), b"x")
        assert self.native.loop is not None
        self.native.loop.advance(61)
        self.assertEqual(self.finish(live), ("idle-timeout", "", 5, 0))

    def test_half_close(self) -> None:
        """So does that for half of a connection."""
        live = self.begin(self.session(idle=600, half_close=60))
        self.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(self.backend), b"")
        assert self.native.loop is not None
        self.native.loop.advance(61)
        self.assertEqual(self.finish(live), ("half-close-timeout", "", 4, 0))

    def test_stop(self) -> None:
        """Both sides see a reset; the record has the operator's word."""
        live = self.begin(self.session())
        live.stop("drained")
        live.stop("drained again")
        self.assertTrue(is_reset(self.client))
        self.assertTrue(is_reset(self.backend))
        self.assertEqual(self.finish(live), ("drained", "", 4, 0))
        live.stop("too late")

    def test_stop_in_order(self) -> None:
        """Both sides see the end."""
        live = self.begin(self.session())
        live.stop("tunnel-closed", reset=False)
        self.assertEqual((receive(self.client), receive(self.backend)), (b"", b""))
        self.assertEqual(self.finish(live), ("tunnel-closed", "", 4, 0))

    def test_over_is_not_told_from_within(self) -> None:
        """Not even when the client has gone before it began."""
        reset(self.client)
        live = self.begin(self.session())
        self.assertEqual(self.told, [])
        self.assertEqual(self.finish(live), ("client-lost", "", 4, 0))

    def test_cannot_be_watched(self) -> None:
        """The system's refusal is one session's end; its sockets are closed."""
        Unwatchable.null = os.open("/dev/null", os.O_RDONLY)
        self.addCleanup(os.close, Unwatchable.null)
        self.ours = Unwatchable(fileno=self.ours.detach())
        live = self.begin(self.session())
        self.assertEqual(self.told, [])
        self.assertTrue(is_reset(self.client))
        self.assertTrue(is_reset(self.backend))
        self.assertEqual(self.finish(live), ("error", "operation not permitted", 4, 0))

    def test_starts_late(self) -> None:
        """There is no thread before the first session: portmux may still fork."""
        before = len(os.listdir("/proc/self/task"))
        native = Native(self.poller, self.budget)
        self.assertEqual(len(os.listdir("/proc/self/task")), before)
        native.stop()
        self.begin(self.session()).stop("stopped")
        self.assertEqual(len(os.listdir("/proc/self/task")), before + 1)
        self.reactor.until(lambda: self.told)
        self.native.stop()
        self.native.stop()
        self.assertEqual(len(os.listdir("/proc/self/task")), before)

    def test_budget(self) -> None:
        """What the thread may open is reserved, and leaves most to sessions."""
        for most, reserved in ((1_000, 127), (100, 15), (10, 3), (-5, 3)):
            budget = Budget(most)
            native = Native(self.poller, budget)
            self.assertEqual(budget.taken, 0)
            ours, theirs = unix()
            other, backend = unix()
            native.begin(self.session(), ours, backend, b"", self.told.append)
            self.assertEqual(budget.taken, reserved)
            native.stop()
            self.assertEqual(budget.taken, 0)
            theirs.close()
            other.close()

    def test_mistake(self) -> None:
        """What fails when one session ends is logged; the others' ends are told."""
        logged = Logged(self, Native)

        def fail(live: Live) -> None:
            raise ZeroDivisionError

        self.native.begin(self.session(), self.ours, self.theirs, b"", fail)
        other, ours = unix()
        backend, theirs = unix()
        live = self.native.begin(self.session(), ours, theirs, b"", self.told.append)
        reset(self.client)
        other.close()
        backend.close()
        self.assertEqual(self.finish(live), ("done", "", 4, 0))
        self.reactor.until(lambda: logged.lines)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
