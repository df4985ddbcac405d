"""Tests for L{portmux.net.lane.poller}."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from twisted.internet.interfaces import IReadDescriptor
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from portmux.net.lane.poller import EDGE, IN, OUT, WORK, Poller
from portmux.net.poll import ROUNDS
from tests.net.turned import Turned


class Kept:
    """Keeps what it is told. @ivar does: does something each time, too."""

    def __init__(self, does: Callable[[], object] | None = None) -> None:
        self.told: list[int] = []
        self.failed = 0
        self.turns = 0
        self.does = does

    def ready(self, events: int) -> None:
        self.told.append(events)
        if self.does is not None:
            self.does()

    def go_on(self) -> None:
        self.turns += 1
        if self.does is not None:
            self.does()

    def fail(self) -> None:
        self.failed += 1
        mistake()  # one mistake leads to another


class Descriptor:
    """What a reactor watches. @ivar reads, writes: how often it was its turn."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.reads = self.writes = 0

    def fileno(self) -> int:
        return self._sock.fileno()

    def doRead(self) -> None:
        self.reads += 1

    def doWrite(self) -> None:
        self.writes += 1


def mistake() -> None:
    raise RuntimeError("mistake")


class PollerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Turned()
        self.looks = 0
        self.poller = Poller(self.reactor, self.after)
        self.sockets: list[socket.socket] = []

    def tearDown(self) -> None:
        for sock in self.sockets:
            sock.close()
        self.poller.stop()
        self.poller.stop()  # again does no harm
        left = self.reactor.left()
        self.reactor.close()
        self.assertEqual(left, [], "the reactor is not clean")

    def after(self) -> None:
        self.looks += 1

    def pair(self) -> tuple[socket.socket, socket.socket]:
        pair = socket.socketpair()
        for sock in pair:
            sock.setblocking(False)
            self.sockets.append(sock)
        return pair

    def test_interface(self) -> None:
        """One reader among the reactor's."""
        self.assertTrue(verifyObject(IReadDescriptor, self.poller))
        self.assertIn(self.poller, self.reactor.getReaders())

    def test_told_once(self) -> None:
        """Of what comes, not of what is left there."""
        ours, theirs = self.pair()
        kept = Kept()
        self.assertTrue(self.poller.watch(ours.fileno(), kept))
        theirs.send(b"a")
        self.reactor.settle()
        self.reactor.settle()
        self.assertEqual(kept.told, [IN])
        theirs.send(b"b")
        self.reactor.settle()
        self.assertEqual(kept.told, [IN, IN])
        self.assertGreaterEqual(self.looks, 2)
        self.assertEqual(self.poller.now, self.reactor.seconds())

    def test_handed_on(self) -> None:
        """Somebody else is told from then on; it costs no system call."""
        ours, theirs = self.pair()
        first, second = Kept(), Kept()
        self.poller.watch(ours.fileno(), first)
        self.assertFalse(self.poller.watch(ours.fileno(), second))
        theirs.send(b"a")
        self.reactor.settle()
        self.assertEqual((first.told, second.told), ([], [IN]))

    def test_change(self) -> None:
        """What is there already is told, too."""
        ours, _ = self.pair()
        kept = Kept()
        self.poller.watch(ours.fileno(), kept)
        self.reactor.settle()
        self.assertEqual(kept.told, [])
        self.poller.change(ours.fileno(), EDGE | OUT)
        self.reactor.settle()
        self.assertEqual(kept.told, [OUT])

    def test_forget(self) -> None:
        """Nothing is told any more, and others may watch it."""
        ours, theirs = self.pair()
        kept = Kept()
        self.poller.watch(ours.fileno(), kept)
        self.poller.forget(ours.fileno())
        theirs.send(b"a")
        self.reactor.settle()
        self.assertEqual(kept.told, [])
        self.assertTrue(self.poller.watch(ours.fileno(), kept))
        self.reactor.settle()
        self.assertEqual(kept.told, [IN])

    def test_closed_meanwhile(self) -> None:
        """What was told of a descriptor that another one has closed is not told."""
        pairs = [self.pair() for _ in range(2)]

        def close() -> None:
            for ours, _ in pairs:
                if ours.fileno() >= 0:
                    self.poller.closed(ours.fileno())
                    ours.close()

        kept = [Kept(close) for _ in pairs]
        for (ours, theirs), one in zip(pairs, kept, strict=True):
            self.poller.watch(ours.fileno(), one)
            theirs.send(b"a")
        self.reactor.settle()
        self.assertEqual(len(kept[0].told) + len(kept[1].told), 1)

    def test_mistakes(self) -> None:
        """They are those of one, not of the others."""
        pairs = [self.pair() for _ in range(3)]
        kept = [Kept(mistake) for _ in pairs]
        for (ours, theirs), one in zip(pairs, kept, strict=True):
            self.poller.watch(ours.fileno(), one)
            theirs.send(b"a")
            self.poller.later(one)
        self.reactor.settle()
        self.assertEqual([one.failed for one in kept], [2, 2, 2])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 6)

    def test_stopped_meanwhile(self) -> None:
        """By what somebody was told: nothing more is asked for."""
        ours, theirs = self.pair()
        self.poller.watch(ours.fileno(), Kept(self.poller.stop))
        theirs.send(b"a")
        self.reactor.turn()
        self.assertEqual(self.reactor.left(), [])

    def test_later(self) -> None:
        """Others have their turn before; who is not done then waits again."""
        ours, theirs = self.pair()
        other = Kept()
        self.poller.watch(ours.fileno(), other)

        def again() -> None:
            if unfinished.turns < 3:
                theirs.send(b"x")
                self.poller.later(unfinished)

        unfinished = Kept(again)
        self.poller.later(unfinished)
        self.assertEqual(unfinished.turns, 0)
        for turn in (1, 2, 3):
            self.reactor.runUntilCurrent()
            self.assertEqual(unfinished.turns, turn)
        self.reactor.settle()
        self.assertEqual(unfinished.turns, 3)
        self.assertEqual(other.told, [IN])

    def test_no_more_than_so_much(self) -> None:
        """All have their turn, one after the other, however many there are."""
        many = [Kept(self.spend) for _ in range(3 * WORK)]
        for one in many:
            self.poller.later(one)
        for turn in (1, 2, 3):
            self.reactor.runUntilCurrent()
            self.assertEqual(sum(one.turns for one in many), turn * WORK)
            self.assertEqual({one.turns for one in many[: turn * WORK]}, {1})

    def spend(self) -> None:
        self.poller.work -= 1

    def test_as_a_reactor(self) -> None:
        """Again and again, as long as it is so."""
        ours, theirs = self.pair()
        reader, writer = Descriptor(ours), Descriptor(theirs)
        for _ in range(2):
            self.poller.addReader(reader)
            self.poller.addWriter(writer)  # type: ignore[arg-type] # it is enough
        self.reactor.turn()
        self.reactor.turn()
        self.assertEqual((reader.reads, writer.writes), (0, 2 * ROUNDS))
        theirs.send(b"a")
        self.reactor.turn()
        self.reactor.turn()
        self.assertEqual(reader.reads, 2 * ROUNDS)
        for _ in range(2):
            self.poller.removeReader(reader)
            self.poller.removeWriter(writer)  # type: ignore[arg-type]
        self.reactor.settle()
        self.assertEqual((reader.reads, writer.writes), (2 * ROUNDS, 4 * ROUNDS))

    def test_number_is_used_again(self) -> None:
        """A connection is not taken for established by what was told of another."""
        pairs = [self.pair(), self.pair()]
        full = self.full()
        writers: list[Descriptor] = []

        def reuse() -> None:
            """Whoever comes first has the other one's number used for another."""
            closed = pairs[1 if self.kept[0].told else 0][0]
            number = closed.fileno()
            for ours, _ in pairs:
                self.poller.closed(ours.fileno())
                ours.close()
            os.dup2(full.fileno(), number)
            self.sockets.append(socket.socket(fileno=number))
            writers.append(Descriptor(self.sockets[-1]))
            self.poller.addWriter(writers[0])  # type: ignore[arg-type]

        self.kept = [Kept(reuse) for _ in pairs]
        for (ours, theirs), one in zip(pairs, self.kept, strict=True):
            self.poller.watch(ours.fileno(), one)
            theirs.send(b"a")
        self.reactor.settle()
        self.assertEqual([one.failed for one in self.kept], [0, 0])
        self.assertEqual(writers[0].writes, 0)

    def full(self) -> socket.socket:
        """@return: a socket that has no room to write."""
        ours, _ = self.pair()
        try:
            while True:
                ours.send(bytes(1 << 16))
        except BlockingIOError:
            return ours
