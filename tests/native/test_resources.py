"""What L{portmux._relay} owns: descriptors, pipes, memory, a thread."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import resource
import select
import signal
import socket
import sys
import threading
import weakref
from collections.abc import Callable

from tests.native.rig import (
    PATIENCE,
    PIPES,
    Kept,
    Loop,
    LoopCase,
    Pair,
    descriptors,
    sending,
    tcp,
    unix,
)
from tests.sockets import receive

BULK = random.Random(6).randbytes(3_000_000)

SPARE = 16
"""Pipes that stay open: C{PIPES_SPARE}."""


class PipeTests(LoopCase):
    """Pipes are few, and nobody has to have one."""

    connect = staticmethod(tcp)

    def test_shared(self) -> None:
        """Streams one after the other make do with one pipe."""
        before = descriptors()
        for _ in range(20):
            made = self.relayed()
            thread = sending(made.client, BULK)
            self.assertEqual(receive(made.backend), BULK)
            thread.join()
            made.close()
            self.over()
        self.assertEqual(descriptors(), before + 2)

    def stick(self, many: int) -> list[threading.Thread]:
        """@return: what sends into so many streams, none of which moves any more."""
        clients = [self.relayed(narrow=True).client for _ in range(many)]
        threads = [sending(client, BULK) for client in clients]
        for made in self.all:
            self.assertEqual(made.backend.recv(1), BULK[:1])
        sent = -1
        while sent < (sent := sum(made.pair.sent for made in self.all)):
            select.select([], [], [], 0.2)
        return threads

    def finish(self, threads: list[threading.Thread]) -> None:
        """Hold that all have arrived that were stuck."""
        for made in self.all:
            self.assertEqual(receive(made.backend), BULK[1:])
        for thread in threads:
            thread.join()

    def test_few(self) -> None:
        """More streams that are stuck than there may be pipes; all are served."""
        before = descriptors()
        many = PIPES + 20
        threads = self.stick(many)
        self.assertEqual(descriptors(), before + 4 * many + 2 * PIPES)
        self.finish(threads)
        self.settle()
        self.assertEqual(descriptors(), before + 4 * len(self.all) + 2 * SPARE)

    def test_none(self) -> None:
        """When no descriptor is left, streams are copied."""
        made = self.relayed()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors() + 50, hard))
        spare = []
        with contextlib.suppress(OSError):
            while True:
                spare.append(os.dup(0))
        try:
            thread = sending(made.client, BULK)
            self.assertEqual(receive(made.backend), BULK)
            thread.join()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for each in spare:
                os.close(each)

    def test_refused(self) -> None:
        """An ordinary user gets few large pipes; what has none is copied."""

        def run() -> None:
            if os.getuid() == 0:
                os.setuid(65534)  # nobody
            before = descriptors()
            self.loop = Loop(1_000)
            many = PIPES + 30
            threads = self.stick(many)
            pipes = (descriptors() - before - 3 - 4 * many) // 2
            assert 0 < pipes < PIPES + 10, pipes
            self.finish(threads)

        self.assertEqual(child(run), 0)

    def test_without(self) -> None:
        """A loop may have no pipe at all."""
        self.loop.close()
        self.loop = Loop(0)
        made = self.relayed()
        before = descriptors()
        thread = sending(made.client, BULK)
        self.assertEqual(receive(made.backend), BULK)
        thread.join()
        self.assertEqual(descriptors(), before)

    def test_dropped(self) -> None:
        """A pipe with bytes that nobody wants any more is nobody's next pipe."""
        made = self.relayed()
        thread = sending(made.client, BULK * 3, end=False)
        self.assertEqual(receive(made.backend, 1_000_000), BULK[:1_000_000])
        self.loop.stop(made.pair)
        thread.join()
        self.over()
        for _ in range(3):
            fresh = self.relayed()
            thread = sending(fresh.client, BULK[::-1])
            self.assertEqual(receive(fresh.backend), BULK[::-1])
            thread.join()


class OwnershipTests(LoopCase):
    """Who closes what."""

    def sockets(self) -> tuple[socket.socket, socket.socket]:
        """@return: two that go nowhere; closed in the end."""
        pair = unix()
        for sock in pair:
            self.addCleanup(sock.close)
        return pair

    def test_refused(self) -> None:
        """What cannot be watched stays the caller's."""
        client, backend = self.sockets()
        pair = Kept()
        with self.assertRaises(OSError):
            self.loop.begin(pair, -1, backend.fileno(), b"rest", False, None, None)
        backend.send(b"is open")
        self.assertEqual(client.recv(10), b"is open")
        self.loop.begin(pair, client.detach(), backend.detach(), b"", False, None, None)

    def test_backend_cannot_be_watched(self) -> None:
        """The thread finds out; it tells what the system said."""
        client, theirs = unix()
        file = os.open(__file__, os.O_RDONLY)
        pair = Kept()
        self.loop.begin(pair, theirs.detach(), file, b"", False, None, None)
        self.assertEqual(self.over(), [pair])
        self.assertEqual((pair.end, pair.detail), ("error", "Operation not permitted"))
        self.assertEqual(client.recv(1), b"")
        client.close()

    def test_mistakes(self) -> None:
        """Of the caller's: nothing has happened."""
        client, backend = self.sockets()
        numbers = (client.fileno(), backend.fileno())
        with self.assertRaises(ValueError):
            self.loop.begin(Kept(), *numbers, b"", False, -1, None)
        with self.assertRaises(ValueError):
            self.loop.begin(Kept(), *numbers, b"", False, None, float("nan"))
        with self.assertRaises(TypeError):
            self.loop.begin(object(), *numbers, b"", False, None, None)  # type: ignore[arg-type] # that is what is tested
        with self.assertRaises(TypeError):
            self.loop.begin(Kept(), *numbers, b"", False, "soon", None)  # type: ignore[arg-type] # likewise
        with self.assertRaises(TypeError):
            self.loop.stop(None)  # type: ignore[arg-type] # likewise
        with self.assertRaises(TypeError):
            self.loop.stop()  # type: ignore[call-arg] # likewise
        with self.assertRaises(TypeError):
            Loop()  # type: ignore[call-arg] # likewise
        with self.assertRaises(TypeError):
            Loop(pipes=1)  # type: ignore[call-arg] # likewise
        with self.assertRaises(ValueError):
            Loop(-1)
        self.loop.stop(Kept())
        made = self.relayed()
        with self.assertRaises(ValueError):
            self.loop.begin(made.pair, *numbers, b"", False, None, None)
        self.synchronise(made)

    def test_infinite(self) -> None:
        """A wait without an end is none."""
        made = self.relayed(idle=float("inf"))
        self.loop.advance(1e9)
        self.synchronise(made)

    def test_references(self) -> None:
        """The loop keeps a pair until it was given back, and no longer."""
        made = self.relayed()
        seen = weakref.ref(made.pair)
        del made.pair
        gc.collect()
        self.assertIsNotNone(seen())
        made.close()
        self.over()
        gc.collect()
        self.assertIsNone(seen())

    def test_references_of_a_pair_that_was_refused(self) -> None:
        """A failed begin keeps nothing."""
        pair = Kept()
        before = sys.getrefcount(pair)
        for _ in range(10):
            with self.assertRaises(OSError):
                self.loop.begin(pair, -1, -1, b"rest", False, None, None)
        self.assertEqual(sys.getrefcount(pair), before)

    def test_plain(self) -> None:
        """A pair needs no subclass."""
        client, theirs = unix()
        backend, ours = unix()
        pair = Pair()
        self.loop.begin(pair, theirs.detach(), ours.detach(), b"x", False, None, None)
        self.assertEqual(backend.recv(1), b"x")
        client.close()
        backend.close()
        self.assertEqual(self.over(), [pair])


class EndTests(LoopCase):
    """The thread ends when it is told to, whatever is going on."""

    connect = staticmethod(tcp)

    def test_under_load(self) -> None:
        """All that is live is reset and told; nothing is left."""
        threads = []
        for _ in range(20):
            made = self.relayed()
            threads.append(sending(made.client, BULK, end=False))
            threads.append(sending(made.backend, BULK, end=False))
            made.backend.recv(1)
        pairs = self.loop.close()
        self.assertEqual(set(pairs), {made.pair for made in self.all})
        self.assertEqual({pair.end for pair in pairs}, {"stopped"})
        for thread in threads:
            thread.join()

    def test_new_ones(self) -> None:
        """Those that the thread has not even seen yet are among them."""
        pairs = {self.relayed().pair for _ in range(50)}
        self.assertEqual(set(self.loop.close()), pairs)

    def test_what_was_over(self) -> None:
        """What nobody has taken yet is given in the end."""
        made = self.relayed()
        made.close()
        ready, _, _ = select.select([self.loop], [], [], PATIENCE)
        self.assertTrue(ready)
        self.assertEqual([pair.end for pair in self.loop.close()], ["done"])

    def test_closed(self) -> None:
        """After that it is of no use, and says so."""
        made = self.relayed()
        self.loop.close()
        for call in (self.loop.close, self.loop.over, self.loop.fileno):
            with self.assertRaisesRegex(ValueError, "the loop is closed"):
                call()
        with self.assertRaises(ValueError):
            self.loop.stop(made.pair)
        with self.assertRaises(ValueError):
            self.loop.quiet(made.pair)
        with self.assertRaises(ValueError):
            self.loop.advance(1)
        sock = socket.socket()
        with self.assertRaises(ValueError):
            self.loop.begin(
                Kept(), sock.fileno(), sock.fileno(), b"", False, None, None
            )
        sock.close()

    def test_forgotten(self) -> None:
        """A loop that nobody has any more ends by itself."""
        before = threads_of_the_system()
        self.relayed()
        self.loop = Loop(PIPES)
        self.assertEqual(threads_of_the_system(), before)

    def test_several(self) -> None:
        """Each loop has pairs of its own."""
        first, second = self.loop, Loop(PIPES)
        one = self.relayed()
        self.loop = second
        other = self.relayed()
        self.synchronise(one)
        self.synchronise(other)
        self.assertEqual([pair.end for pair in first.close()], ["stopped"])
        self.synchronise(other)

    def test_no_signal(self) -> None:
        """Signals are for the main thread."""
        before = set(os.listdir("/proc/self/task"))
        other = Loop(PIPES)
        self.addCleanup(other.close)
        (ours,) = set(os.listdir("/proc/self/task")) - before
        with open(f"/proc/self/task/{ours}/status") as file:
            status = dict(line.split(":\t") for line in file if ":\t" in line)
        blocked = int(status["SigBlk"], 16)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            self.assertTrue(blocked & 1 << number - 1, number)


class ForkTests(LoopCase):
    """Children are forked while the thread runs; they have no thread of their own."""

    def test_child(self) -> None:
        """A child that forgets a loop does not wait for its thread, nor use it."""

        def run() -> None:
            with self.assertRaisesRegex(ValueError, "in another process"):
                self.loop.over()
            with self.assertRaisesRegex(ValueError, "in another process"):
                self.loop.close()
            del self.loop
            gc.collect()

        made = self.relayed()
        self.synchronise(made)
        self.assertEqual(child(run), 0)
        self.synchronise(made)

    def test_descriptors_in_a_child(self) -> None:
        """While a child has copies of a pair's sockets, no event is told twice."""
        made = self.relayed()
        other = self.relayed()
        self.synchronise(made)
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            theirs.recv(1)
            os._exit(0)
        theirs.close()
        self.loop.stop(made.pair)
        self.over()
        del made.pair
        gc.collect()
        with contextlib.suppress(OSError):
            made.client.send(b"to the child")
        made.close()
        self.synchronise(other)
        ours.close()
        os.waitpid(pid, 0)
        self.synchronise(other)


class ManyTests(LoopCase):
    """Thousands of sessions."""

    def test_many(self) -> None:
        """All are served, all end, and the counts are exact."""
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        many = min(2_000, (limit - 200) // 4)
        for number in range(many):
            self.relayed(rest=b"%6d" % number, idle=3_600)
        for number, made in enumerate(self.all):
            self.assertEqual(receive(made.backend, 6), b"%6d" % number)
            made.backend.sendall(b"%d" % number)
        for number, made in enumerate(self.all):
            self.assertEqual(made.client.recv(10), b"%d" % number)
            made.close()
        self.assertEqual({pair.end for pair in self.over(many)}, {"done"})
        for number, made in enumerate(self.all):
            counts = (made.pair.sent, made.pair.received)
            self.assertEqual(counts, (6, len(str(number))))

    def test_ends_at_once(self) -> None:
        """Stopped, reset, timed out and closed all at the same time."""
        rng = random.Random(7)
        for _ in range(10):
            some = [self.relayed(idle=60) for _ in range(100)]
            self.loop.advance(rng.choice([0, 59, 61]))
            for made in some:
                if rng.random() < 0.5:
                    self.loop.stop(made.pair)
                made.close()
            self.assertEqual(set(self.over(100)), {made.pair for made in some})


def child(run: Callable[[], None]) -> int:
    """@return: the status with which a forked child ends."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            run()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    return status


def threads_of_the_system() -> int:
    """@return: how many threads this process has, Python's or not."""
    return len(os.listdir("/proc/self/task"))
