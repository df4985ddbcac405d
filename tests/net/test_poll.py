"""Tests for L{portmux.net.poll}."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from functools import partial

from twisted.internet import main
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from portmux.net.poll import BATCH, ROUNDS, Poll, poll_of
from tests.net.turned import Turned


class Watched:
    """
    One end of a pair of sockets, as a transport is.

    @ivar told: what happened, in order.
    @ivar then: called whenever something does; what it returns is the answer.
    """

    def __init__(self) -> None:
        self.sock, self.peer = socket.socketpair()
        self.sock.setblocking(False)
        self.told: list[object] = []
        self.then: Callable[[], Exception | None] = lambda: None

    def fileno(self) -> int:
        return self.sock.fileno()

    def doRead(self) -> Exception | None:
        with contextlib.suppress(OSError):
            self.told.append(self.sock.recv(100))
        return self.then()

    def doWrite(self) -> Exception | None:
        self.told.append("room")
        return self.then()

    def connectionLost(self, reason: Failure) -> None:
        self.told.append(reason.value)


class PollTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Turned()
        self.poll = Poll(self.reactor)
        self.made: list[Watched] = []
        self.one, self.other = self.watched(), self.watched()

    def tearDown(self) -> None:
        for watched in self.made:
            self.poll.removeReader(watched)
            self.poll.removeWriter(watched)
            watched.sock.close()
            watched.peer.close()
        left = self.reactor.left()
        self.reactor.close()
        self.assertEqual(left, [], "the reactor is not clean")

    def watched(self) -> Watched:
        made = Watched()
        self.made.append(made)
        return made

    def test_reader(self) -> None:
        """What the reactor takes; and what has no epoll is watched by the reactor."""
        self.assertTrue(verifyObject(IReadDescriptor, self.poll))
        self.assertIsInstance(poll_of(self.reactor), Poll)

    def test_read(self) -> None:
        """Bytes, then the end; each is told to the one it came to."""
        self.poll.addReader(self.one)
        self.poll.addReader(self.other)
        self.one.peer.send(b"abc")
        self.reactor.settle()
        self.other.peer.close()
        self.reactor.turn()
        self.assertEqual((self.one.told, self.other.told[:1]), ([b"abc"], [b""]))

    def test_write(self) -> None:
        """There is room as long as somebody asks for it."""
        self.poll.addWriter(self.one)
        self.reactor.turn()
        self.reactor.turn()
        self.assertEqual(self.one.told, ["room"] * ROUNDS * 2)
        self.poll.removeWriter(self.one)
        self.reactor.settle()
        self.assertEqual(self.one.told, ["room"] * ROUNDS * 2)

    def test_both(self) -> None:
        """Reading comes first; either can end without the other."""
        self.poll.addReader(self.one)
        self.poll.addWriter(self.one)
        self.one.peer.send(b"abc")
        self.reactor.turn()
        self.assertEqual(self.one.told, [b"abc"] + ["room"] * ROUNDS)
        self.poll.removeWriter(self.one)
        self.one.peer.send(b"def")
        self.reactor.settle()
        self.assertEqual(self.one.told[ROUNDS + 1 :], [b"def"])
        self.poll.addWriter(self.one)
        self.poll.removeReader(self.one)
        self.one.peer.send(b"ghi")
        self.reactor.turn()
        self.assertEqual(self.one.told[ROUNDS + 2 :], ["room"] * ROUNDS)

    def test_twice(self) -> None:
        """To ask again changes nothing, nor does ending what has not begun."""
        self.poll.removeReader(self.one)
        self.poll.addReader(self.one)
        self.poll.addReader(self.one)
        self.poll.removeWriter(self.one)
        self.poll.removeReader(self.other)
        self.one.peer.send(b"abc")
        self.reactor.settle()
        self.assertEqual(self.one.told, [b"abc"])

    def test_in_the_reactor_while_needed(self) -> None:
        """Nothing is left of it when nothing is watched; it can come back."""
        self.assertEqual(self.reactor.getReaders(), [])
        for _ in range(2):
            self.poll.addReader(self.one)
            self.assertEqual(self.reactor.getReaders(), [self.poll])
            self.poll.removeReader(self.one)
            self.assertEqual(self.reactor.getReaders(), [])
            self.assertEqual(self.poll.fileno(), -1)

    def test_answer_of_reading(self) -> None:
        """An answer that is an exception ends it, with the failure that is known."""
        self.poll.addReader(self.one)
        self.poll.addWriter(self.one)
        self.one.then = lambda: main.CONNECTION_LOST
        self.one.peer.send(b"abc")
        self.reactor.settle()
        self.assertEqual(self.one.told, [b"abc", main.CONNECTION_LOST])

    def test_answer_of_writing(self) -> None:
        """Also one that is not one of Twisted's two."""
        fault = ValueError("what")
        self.poll.addWriter(self.one)
        self.one.then = lambda: fault
        self.reactor.settle()
        self.assertEqual(self.one.told, ["room", fault])

    def test_mistake(self) -> None:
        """What raises is logged and lost; the others are served."""

        def fail() -> None:
            raise RuntimeError("mistake")

        for watched in (self.one, self.other):
            self.poll.addReader(watched)
            watched.peer.send(b"abc")
        self.one.then = fail
        self.reactor.settle()
        self.assertEqual(self.other.told, [b"abc"])
        self.assertIsInstance(self.one.told[1], RuntimeError)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_ended_by_another(self) -> None:
        """An event that was reported already is not told to who has gone."""
        for watched, partner in ((self.one, self.other), (self.other, self.one)):
            self.poll.addReader(watched)
            watched.peer.send(b"abc")

            def end(partner: Watched = partner) -> None:
                self.poll.removeReader(partner)

            watched.then = end
        self.reactor.settle()
        self.assertEqual(len(self.one.told) + len(self.other.told), 1)

    def test_forget(self) -> None:
        """Closing does the rest; its number may be another's at once."""
        self.poll.addReader(self.one)
        self.poll.addReader(self.other)
        number = self.one.fileno()
        self.poll.forget(self.one)
        self.poll.forget(self.one)
        self.one.sock.close()
        next_one = self.watched()
        self.assertEqual(next_one.fileno(), number)
        self.poll.addReader(next_one)
        next_one.peer.send(b"abc")
        self.reactor.settle()
        self.assertEqual((self.one.told, next_one.told), ([], [b"abc"]))
        self.poll.forget(self.one)  # it has no number any more
        self.poll.forget(self.other)
        self.poll.forget(next_one)
        self.assertEqual(self.reactor.getReaders(), [])

    def test_writer_whose_peer_is_gone(self) -> None:
        """The system's error is found by writing, not told in its place."""
        self.poll.addWriter(self.one)
        self.one.peer.close()
        self.reactor.turn()
        self.assertEqual(self.one.told, ["room"] * ROUNDS)

    def test_number_is_used_again(self) -> None:
        """What was told of one is not told of who has its number now."""
        for each, other in ((self.one, self.other), (self.other, self.one)):
            each.then = partial(self.use_again, other)
            self.poll.addReader(each)
            each.peer.close()
        self.reactor.turn()
        (late,) = self.made[2:]
        self.assertEqual(late.told, [])
        self.poll.removeWriter(late)

    def use_again(self, victim: Watched) -> None:
        """Close it, and have one that cannot write with its number."""
        if len(self.made) > 2:
            return
        late, number = self.watched(), victim.fileno()
        self.poll.forget(victim)
        victim.sock.close()
        os.dup2(late.fileno(), number)
        late.sock.close()
        late.sock = socket.socket(fileno=number)
        with contextlib.suppress(BlockingIOError):
            while True:
                late.sock.send(bytes(1 << 16))
        self.poll.addWriter(late)

    def test_answer(self) -> None:
        """What comes while others are told is told in the same turn."""

        def answer() -> None:
            if len(self.other.told) < ROUNDS // 2:
                self.other.peer.send(b"x")

        def ask() -> None:
            self.one.peer.send(b"x")

        self.one.then, self.other.then = answer, ask
        self.poll.addReader(self.one)
        self.poll.addReader(self.other)
        self.one.peer.send(b"x")
        self.reactor.turn()
        self.assertEqual(len(self.other.told), ROUNDS // 2)

    def test_turns(self) -> None:
        """Others have theirs between so many events and the next."""
        many = [self.watched() for _ in range(BATCH + 1)]
        for watched in many:
            self.poll.addReader(watched)
            watched.peer.send(b"abc")
        self.reactor.turn()
        self.assertEqual(sum(len(one.told) for one in many), BATCH)
        self.reactor.turn()
        self.assertEqual([one.told for one in many], [[b"abc"]] * (BATCH + 1))
