"""Bytes and ends through L{portmux._relay}."""

from __future__ import annotations

import contextlib
import random
import socket
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.native.rig import (
    PATIENCE,
    LoopCase,
    Pair,
    Relayed,
    is_broken,
    receiving,
    sending,
    tcp,
)
from tests.sockets import is_reset, receive, reset

NO_LINGER = struct.pack("ii", 1, 0)

BULK = random.Random(5).randbytes(12_000_000)
"""More than fits anywhere under way, so that it has to be spliced."""


Step = tuple[str, int, int]
"""What to do, on which side, with how many octets."""


def steps() -> st.SearchStrategy[Step]:
    sizes = st.sampled_from([1, 100, 5_000, 65_536, 200_000, 1_000_000])
    what = st.sampled_from(["send"] * 5 + ["read"] * 4 + ["end"])
    return st.tuples(what, st.sampled_from([0, 1]), sizes)


class Exchange:
    """Plays a script on a new pair and holds that nothing is lost, added or moved."""

    def __init__(self, case: LoopCase, rest: int, ended: bool) -> None:
        self.case = case
        self.made = case.relayed(BULK[:rest], ended)
        self.socks = (self.made.client, self.made.backend)
        self.sent = [rest, 0]  # octets of BULK
        self.got = [bytearray(), bytearray()]
        self.ended = [ended, False]

    def play(self, script: list[Step]) -> None:
        for what, side, size in script:
            self.socks[side].setblocking(False)
            if what == "read":
                self.read(side, size)
            elif what == "end" and not self.ended[side]:
                self.end(side)
            elif not self.ended[side]:
                self.send(side, size)
        self.finish()

    def send(self, side: int, size: int) -> None:
        begin = self.sent[side]
        with contextlib.suppress(BlockingIOError):
            self.sent[side] += self.socks[side].send(BULK[begin : begin + size])

    def read(self, side: int, size: int) -> None:
        with contextlib.suppress(BlockingIOError):
            self.got[side] += self.socks[side].recv(size)

    def end(self, side: int) -> None:
        self.ended[side] = True
        self.socks[side].shutdown(socket.SHUT_WR)

    def finish(self) -> None:
        for side in (0, 1):
            if not self.ended[side]:
                self.end(side)
            self.socks[side].settimeout(PATIENCE)
        for side in (0, 1):
            self.got[1 - side] += receive(self.socks[1 - side])
            assert self.got[1 - side] == BULK[: self.sent[side]]
        self.case.check(self.made, "done", *self.sent)
        self.made.close()


class UnixTests(LoopCase):
    """What holds for every stream socket."""

    def test_both_directions(self) -> None:
        """Bytes arrive as they were sent; both directions are counted."""
        made = self.relayed()
        made.client.sendall(b"hello")
        self.assertEqual(made.backend.recv(100), b"hello")
        made.backend.sendall(b"good day")
        self.assertEqual(made.client.recv(100), b"good day")
        self.settle()
        self.assertEqual((made.pair.sent, made.pair.received), (5, 8))
        self.assertEqual((made.pair.end, made.pair.detail), ("", ""))

    def test_rest(self) -> None:
        """What was sniffed comes first, and is counted."""
        made = self.relayed(rest=b"first ")
        made.client.sendall(b"second")
        self.assertEqual(receive(made.backend, 12), b"first second")
        self.settle()
        self.assertEqual(made.pair.sent, 12)

    def test_client_ends_first(self) -> None:
        """Its end is passed on behind its bytes; the other direction goes on."""
        made = self.relayed()
        made.client.sendall(b"question")
        made.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(made.backend), b"question")
        self.assertTrue(made.pair.client_ended)
        self.assertFalse(made.pair.backend_ended)
        made.backend.sendall(b"answer")
        self.assertEqual(receive(made.client, 6), b"answer")
        made.backend.close()
        self.assertEqual(receive(made.client), b"")
        self.check(made, "done", 8, 6)

    def test_backend_ends_first(self) -> None:
        """The same from the other side."""
        made = self.relayed()
        made.backend.sendall(b"greeting")
        made.backend.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(made.client), b"greeting")
        self.assertTrue(made.pair.backend_ended)
        self.assertFalse(made.pair.client_ended)
        made.client.sendall(b"thanks")
        self.assertEqual(receive(made.backend, 6), b"thanks")
        made.client.close()
        self.assertEqual(receive(made.backend), b"")
        self.check(made, "done", 6, 8)

    def test_client_had_ended(self) -> None:
        """The backend is told so behind the bytes that were sniffed."""
        made = self.relayed(rest=b"all of it", ended=True)
        self.assertTrue(made.pair.client_ended)
        self.assertEqual(receive(made.backend), b"all of it")
        made.backend.sendall(b"done")
        made.backend.close()
        self.assertEqual(receive(made.client), b"done")
        self.check(made, "done", 9, 4)

    def test_both_had_ended(self) -> None:
        """What the backend has no room for yet still arrives."""
        made = self.relayed(rest=b"the last", ended=True, full=True)
        made.backend.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(made.client), b"")
        data = receive(made.backend)
        self.assertEqual(data, bytes(made.prefilled) + b"the last")
        self.check(made, "done", 8, 0)

    def test_bulk_both_ways(self) -> None:
        """Every octet, in order, when both directions are busy."""
        made = self.relayed()
        threads = [sending(made.client, BULK), sending(made.backend, BULK[::-1])]
        got: list[bytes] = []
        threads.append(receiving(made.client, got))
        self.assertEqual(receive(made.backend), BULK)
        for thread in threads:
            thread.join()
        self.assertEqual(got, [BULK[::-1]])
        self.check(made, "done", len(BULK), len(BULK))

    def test_slow_reader(self) -> None:
        """A reader that takes little at a time gets it all; nothing is piled up."""
        made = self.relayed()
        made.backend.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
        thread = sending(made.client, BULK[:3_000_000])
        self.assertEqual(receive(made.backend, piece=5000), BULK[:3_000_000])
        thread.join()
        made.backend.close()
        self.check(made, "done", 3_000_000, 0)

    def test_bulk_and_small(self) -> None:
        """A stream may be bulk, then small, then bulk again."""
        made = self.relayed()
        parts = [BULK[:2_000_000], *(b"%3d" % i for i in range(100)), BULK[:2_000_000]]
        for part in parts:
            thread = sending(made.client, part, end=False)
            self.assertEqual(receive(made.backend, len(part)), part)
            thread.join()
        self.settle()
        self.assertEqual(made.pair.sent, sum(map(len, parts)))

    def test_blocking_client(self) -> None:
        """The client's socket may be in blocking mode; the thread never waits."""
        client, theirs = self.connect()
        backend, ours = self.connect()
        ours.setblocking(False)
        for sock in client, backend:
            sock.settimeout(PATIENCE)
        made = Relayed(client, backend)
        self.all.append(made)
        self.assertTrue(theirs.getblocking())
        other = self.relayed()
        self.loop.begin(
            made.pair, theirs.detach(), ours.detach(), b"", False, None, None
        )
        for data in (b"small", BULK):
            threads = [sending(client, data, end=False)]
            self.assertEqual(receive(backend, len(data)), data)
            threads.append(sending(backend, data, end=False))
            self.synchronise(other)
            self.assertEqual(receive(client, len(data)), data)
            self.synchronise(other)
            for thread in threads:
                thread.join()

    def test_short_ones_have_their_turn(self) -> None:
        """While bulk streams are under way, others are served."""
        bulk = [self.relayed() for _ in range(3)]
        small = self.relayed()
        threads = [sending(made.client, BULK) for made in bulk]
        got: list[bytes] = []
        threads += [receiving(made.backend, got) for made in bulk]
        for _ in range(100):
            self.synchronise(small)
        for thread in threads:
            thread.join()
        self.assertEqual([each == BULK for each in got], [True] * 3)

    def test_stop(self) -> None:
        """Stopped from outside; once or twice, before or after it is over."""
        made = self.relayed()
        self.synchronise(made)
        self.loop.stop(made.pair)
        self.loop.stop(made.pair)
        self.check(made, "stopped", 1, 1)
        self.loop.stop(made.pair)
        self.assertEqual(self.loop.over(), [])

    def test_cuts(self) -> None:
        """However bytes and ends are cut and mixed, they arrive as they were sent."""

        @settings(deadline=None)
        @given(
            st.lists(steps(), max_size=30),
            st.sampled_from([0, 1, 65_536]),
            st.booleans(),
        )
        def mixed(script: list[Step], rest: int, ended: bool) -> None:
            Exchange(self, rest, ended).play(script)

        mixed()


class TcpTests(UnixTests):
    """The same over TCP, and what only TCP has."""

    connect = staticmethod(tcp)

    def test_client_resets(self) -> None:
        """The backend sees a reset, too."""
        made = self.relayed()
        self.synchronise(made)
        reset(made.client)
        self.assertTrue(is_reset(made.backend))
        self.check(made, "client-lost", 1, 1)

    def test_backend_resets(self) -> None:
        """The client sees a reset, too."""
        made = self.relayed()
        self.synchronise(made)
        reset(made.backend)
        self.assertTrue(is_reset(made.client))
        self.check(made, "backend-lost", 1, 1)

    def test_reset_before_anything(self) -> None:
        """Of a client that left while its backend was dialled."""
        client, theirs = tcp()
        backend, ours = tcp()
        made = Relayed(client, backend)
        self.all.append(made)
        backend.settimeout(PATIENCE)
        reset(client)
        self.loop.begin(
            made.pair, theirs.detach(), ours.detach(), b"", False, None, None
        )
        self.assertTrue(is_reset(backend))
        self.check(made, "client-lost", 0, 0)

    def test_reset_after_own_end(self) -> None:
        """A side that will send no more is still known to be there, or not."""
        made = self.relayed()
        made.client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(made.backend), b"")
        reset(made.client)
        self.check(made, "client-lost", 0, 0)
        self.assertTrue(is_broken(made.backend))

    def test_reset_after_the_other_has_ended(self) -> None:
        """A half-closed connection is still one that can be lost."""
        made = self.relayed()
        made.backend.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(made.client), b"")
        reset(made.client)
        self.assertTrue(is_reset(made.backend))
        self.check(made, "client-lost", 0, 0)

    def test_octets_behind_the_others_end(self) -> None:
        """They come with the client's own end, before the backend has refused them."""
        made = self.relayed()
        self.synchronise(made)
        made.backend.close()
        self.assertEqual(receive(made.client), b"")
        made.client.sendall(b"x")
        made.client.close()
        self.check(made, "backend-lost", 2, 1)

    def test_reset_behind_a_slow_reader(self) -> None:
        """It is noticed though nothing can be read, for want of room."""
        made = self.relayed(full=True)
        made.client.sendall(BULK[:200_000])
        reset(made.client)
        (pair,) = self.over()
        self.assertEqual(pair.end, "client-lost")
        self.assertTrue(is_reset(made.backend))

    def test_reset_in_bulk(self) -> None:
        """While both directions are busy."""
        for side in ("client", "backend"):
            made = self.relayed()
            threads = [
                sending(made.client, BULK, end=False),
                sending(made.backend, BULK, end=False),
            ]
            receive(made.client, 3_000_000)
            receive(made.backend, 3_000_000)
            victim: socket.socket = getattr(made, side)
            victim.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            victim.shutdown(socket.SHUT_RD)
            victim.close()
            (pair,) = self.over()
            self.assertEqual(pair.end, f"{side}-lost")
            for each in threads:
                each.join()

    def test_urgent(self) -> None:
        """Urgent data does not hold up what follows; its mark is not passed on."""
        made = self.relayed()
        for part in (b"small", BULK[:3_000_000]):
            for _ in range(5):
                thread = sending(made.client, part, end=False)
                self.assertEqual(receive(made.backend, len(part)), part)
                thread.join()
                made.client.send(b"\xff", socket.MSG_OOB)
                made.client.sendall(b"next")
                self.assertEqual(receive(made.backend, 4), b"next")

    def test_stop_resets(self) -> None:
        """Neither side takes it for an orderly end."""
        made = self.relayed()
        self.synchronise(made)
        self.loop.stop(made.pair)
        self.assertTrue(is_reset(made.client))
        self.assertTrue(is_reset(made.backend))
        self.check(made, "stopped", 1, 1)

    def test_settle(self) -> None:
        """What is over when it is asked for, is told of; also what has just begun."""
        self.loop.settle()
        made = self.relayed()
        made.close()
        over: list[Pair] = []
        for _ in range(100):  # a thread that gets no turn is not waited for long
            self.loop.settle()
            over += self.loop.over()
            if over:
                break
        self.assertEqual(over, [made.pair])

    def test_stop_in_order(self) -> None:
        """Both sides see the end, behind what was written."""
        made = self.relayed()
        self.synchronise(made)
        self.loop.stop(made.pair, False)
        self.assertEqual((receive(made.client), receive(made.backend)), (b"", b""))
        self.check(made, "stopped", 1, 1)
