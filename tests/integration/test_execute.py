"""Clients and programs over loopback: the exec action as it runs for real."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import TestCase

from portmux.actions.execute import Exec
from portmux.core.limits import Count, Gate, Limits
from portmux.core.match.prefix import Prefix
from portmux.core.option import Seconds
from portmux.core.policy import Policy
from portmux.core.record import Record
from portmux.core.sniff import Route, Table, Way
from portmux.net.descriptors import Budget
from portmux.net.engine import Engine
from tests.engines import KIND

T = TypeVar("T")

reactor: Any = installed
"""Its type in Twisted says less than it provides."""

PATIENCE = 30.0
"""Seconds that a client waits for a byte, on a busy machine."""

SEQ = ("seq", "1", "200000")
SEQ_OUTPUT = b"".join(b"%d\n" % number for number in range(1, 200001))


def receive(client: socket.socket) -> bytes:
    """@return: everything up to the end of the stream."""
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def receive_line(client: socket.socket) -> bytes:
    """@return: one line, without its end."""
    line = b""
    while not line.endswith(b"\n"):
        octet = client.recv(1)
        assert octet, f"the stream ends behind {line!r}"
        line += octet
    return line.rstrip()


def reset(client: socket.socket) -> None:
    """Close so that the other side sees a reset, not an end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def children() -> list[int]:
    """@return: the processes that are ours, those not waited for included."""
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text().split()]


def descriptors() -> list[str]:
    """@return: what is open."""
    found = []
    for one in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            found.append(os.readlink(f"/proc/self/fd/{one}"))
    return sorted(found)


class ExecTests(TestCase):
    def setUp(self) -> None:
        self.records: list[Record] = []
        self._waiting: list[tuple[int, Deferred[None]]] = []
        self.engine = Engine(reactor, Budget(1000), self._record, KIND)
        self.threads = ThreadPool(0, 20)
        self.threads.start()
        self.addCleanup(self.threads.stop)
        self.addCleanup(self._stop)

    def _stop(self) -> Deferred[Any]:
        for front in list(self.engine.live):
            front.stop("test")
        ended = self.engine.tasks.cancel()
        self.engine.tasks.cancel()
        return ended.addCallback(lambda _: self.engine.stop())

    def _record(self, record: Record) -> None:
        self.records.append(record)
        for count, waiting in list(self._waiting):
            if len(self.records) >= count and not waiting.called:
                waiting.callback(None)

    def recorded(self, count: int = 1) -> Deferred[None]:
        """@return: fires when so many sessions are over."""
        waiting: Deferred[None] = Deferred()
        if len(self.records) >= count:
            waiting.callback(None)
        self._waiting.append((count, waiting))
        return waiting

    def listen(self, action: Exec) -> int:
        """@return: the port of a listener whose only route runs this."""
        way = Way("run", action.plan())
        table = Table([Route(Prefix((b"RUN",)), way)])
        policy = Policy("front", table, Gate(Limits(), Count()))
        sock = socket.create_server(("127.0.0.1", 0), backlog=256)
        sock.setblocking(False)
        self.addCleanup(sock.close)

        acceptor = self.engine.acceptor(sock, lambda: policy)
        acceptor.start()
        self.addCleanup(acceptor.stop)
        return int(sock.getsockname()[1])

    def visit(self, port: int, talk: Callable[[socket.socket], T]) -> Deferred[T]:
        """Let a client of the port say its first word and C{talk}, in a thread."""

        def client() -> T:
            address = ("127.0.0.1", port)
            with socket.socket() as sock:
                # Little room, so that much is still under way when the program ends.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                sock.settimeout(PATIENCE)
                sock.connect(address)
                sock.sendall(b"RUN\n")
                return talk(sock)

        found: Deferred[T] = deferToThreadPool(reactor, self.threads, client)
        return found

    def test_all_output(self) -> Deferred[None]:
        """Not an octet is missing when the program has long ended."""
        return Deferred.fromCoroutine(self._all_output())

    async def _all_output(self) -> None:
        port = self.listen(Exec(SEQ))
        found = await gatherResults([self.visit(port, receive) for _ in range(8)])
        self.assertEqual([len(one) for one in found], [1_288_895] * 8)
        self.assertTrue(all(one == SEQ_OUTPUT for one in found))
        await self.recorded(8)
        self.assertEqual(
            {(one.end, one.detail, one.received) for one in self.records},
            {("done", "exit status 0", 1_288_895)},
        )

    def test_unread_input(self) -> Deferred[None]:
        """Input that the program left unread costs the client none of the output."""
        return Deferred.fromCoroutine(self._unread_input())

    async def _unread_input(self) -> None:
        def talk(client: socket.socket) -> bytes:
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    client.send(b"x" * 65536)
            client.settimeout(PATIENCE)
            return receive(client)

        port = self.listen(Exec(SEQ))
        found = await gatherResults([self.visit(port, talk) for _ in range(8)])
        self.assertEqual([len(one) for one in found], [1_288_895] * 8)
        await self.recorded(8)

    def test_half_closes(self) -> Deferred[None]:
        """Either side may end first, and hears the other to its end."""
        return Deferred.fromCoroutine(self._half_closes())

    async def _half_closes(self) -> None:
        def ends_first(client: socket.socket) -> bytes:
            client.sendall(b"b\na\n")
            client.shutdown(socket.SHUT_WR)
            return receive(client)

        self.assertEqual(
            await self.visit(self.listen(Exec(("sort",))), ends_first), b"RUN\na\nb\n"
        )

        place = os.path.abspath(self.mktemp())

        def ends_last(client: socket.socket) -> bytes:
            got = receive(client)
            client.sendall(b"late\n")
            client.shutdown(socket.SHUT_WR)
            return got

        code = f"echo bye; exec >&-; cat >{place}"
        port = self.listen(Exec(("sh", "-c", code)))
        self.assertEqual(await self.visit(port, ends_last), b"bye\n")
        await self.recorded(2)
        self.assertEqual(Path(place).read_bytes(), b"RUN\nlate\n")

    def test_terminal_is_told_the_end_again(self) -> Deferred[None]:
        """A second reader of the terminal sees the client's end as well."""
        return Deferred.fromCoroutine(self._terminal_is_told_the_end_again())

    async def _terminal_is_told_the_end_again(self) -> None:
        def finish(client: socket.socket) -> bytes:
            client.shutdown(socket.SHUT_WR)
            return receive(client)

        port = self.listen(Exec(("sh", "-c", "cat; cat; echo over"), pty=True))
        self.assertTrue((await self.visit(port, finish)).endswith(b"over\r\n"))

    def test_terminal(self) -> Deferred[None]:
        """A terminal as its programs know it."""
        return Deferred.fromCoroutine(self._terminal())

    async def _terminal(self) -> None:
        port = self.listen(Exec(("sh", "-c", 'tty; read l; echo "<$l>"'), pty=True))
        found = await self.visit(port, receive)
        self.assertIn(b"/dev/pts/", found)
        self.assertIn(b"<RUN>\r\n", found)

    def test_descriptors_of_the_program(self) -> Deferred[None]:
        """With other clients at hand, it holds no descriptor of theirs or ours."""
        return Deferred.fromCoroutine(self._descriptors_of_the_program())

    async def _descriptors_of_the_program(self) -> None:
        def talk(client: socket.socket) -> list[str]:
            pid = int(receive_line(client))
            receive_line(client)  # from cat, which has loaded its libraries by then
            return os.listdir(f"/proc/{pid}/fd")

        port = self.listen(Exec(("sh", "-c", "echo $$; exec cat")))
        found = await gatherResults([self.visit(port, talk) for _ in range(5)])
        self.assertEqual([sorted(one) for one in found], [["0", "1", "2"]] * 5)

    def test_client_resets(self) -> Deferred[None]:
        """The program hears of it by SIGHUP, however little it talks."""
        return Deferred.fromCoroutine(self._client_resets())

    async def _client_resets(self) -> None:
        def talk(client: socket.socket) -> int:
            pid = int(receive_line(client))
            reset(client)
            return pid

        port = self.listen(Exec(("sh", "-c", "echo $$; exec sleep 99")))
        pid = await self.visit(port, talk)
        await self.recorded()
        self.assertFalse(os.path.exists(f"/proc/{pid}"))

    def test_client_resets_stubborn_program(self) -> Deferred[None]:
        """SIGKILL follows, for all of its group."""
        return Deferred.fromCoroutine(self._client_resets_stubborn_program())

    async def _client_resets_stubborn_program(self) -> None:
        def talk(client: socket.socket) -> list[int]:
            pids = [int(receive_line(client)), int(receive_line(client))]
            reset(client)
            return pids

        code = "trap '' HUP; sleep 99 & echo $!; echo $$; wait"
        port = self.listen(Exec(("sh", "-c", code), kill_after=Seconds(0.2)))
        pids = await self.visit(port, talk)
        await self.recorded()
        self.assertFalse(os.path.exists(f"/proc/{pids[1]}"))
        self.assertNotIn(pids[0], children())

    def test_nothing_is_left(self) -> Deferred[None]:
        """Two hundred short programs leave no process and no descriptor."""
        return Deferred.fromCoroutine(self._nothing_is_left())

    async def _nothing_is_left(self) -> None:
        ports = [
            self.listen(Exec(("sh", "-c", "read l; echo $l; echo e >&2"))),
            self.listen(Exec(("sh", "-c", "read l; echo $l"), pty=True)),
            self.listen(Exec(("no-such-program",))),
            self.listen(Exec(("false",))),
        ]
        await self.visit(ports[3], receive)  # the reactor has what it needs by then
        await self.recorded()
        before = descriptors()
        found = await gatherResults(
            [self.visit(ports[turn % 4], receive) for turn in range(200)]
        )
        await self.recorded(201)
        self.assertEqual(found[0], b"RUN\n")
        self.assertTrue(found[1].endswith(b"RUN\r\n"), found[1])
        self.assertEqual(found[2:4], [b"", b""])
        self.assertEqual(children(), [])
        self.assertEqual(descriptors(), before)
