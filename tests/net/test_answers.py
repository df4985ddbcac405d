"""Tests for L{portmux.net.answers}: HTTP answers at the pace of their reader."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

from twisted.internet.interfaces import IPushProducer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyClass

from portmux.core.plan import Serving
from portmux.core.policy import Policy
from portmux.core.session import LINGER
from portmux.net.answers import (
    REQUEST,
    TURN,
    Content,
    Page,
    Server,
    answer,
    content_of,
    file_content,
)
from tests.net.logs import Logged
from tests.net.stage import StageCase, policy

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
BODY = bytes(range(256)) * 4096 * 2
"""Two MiB: more than the buffers between us and a client hold."""


def serving(content: Callable[[], Content], status: int = 200) -> Policy:
    """@return: a policy by which every client gets this answer."""
    page = Page("test", status, (), content)
    return policy([(b"", Serving("respond", partial(answer, page), 1))])


class ContentTests(SynchronousTestCase):
    def test_file(self) -> None:
        """A regular file, and its length."""
        path = self.mktemp()
        Path(path).write_bytes(b"content")
        source, length = file_content(path)
        with source:
            self.assertEqual((source.read(100), length), (b"content", 7))

    def test_nothing_that_has_to_be_waited_for(self) -> None:
        """Opening a pipe does not wait for its writer: it is refused, and closed."""
        path = self.mktemp()
        os.mkfifo(path)
        before = os.listdir("/dev/fd")
        for other in (path, os.path.dirname(os.path.abspath(path)), "/dev/zero"):
            error = self.assertRaises(OSError, file_content, other)
            self.assertEqual(error.strerror, "not a regular file")
        self.assertEqual(os.listdir("/dev/fd"), before)

    def test_missing(self) -> None:
        self.assertRaises(FileNotFoundError, file_content, self.mktemp())


class ServerTests(StageCase):
    def test_producer(self) -> None:
        """Twisted's transports pause and resume it."""
        self.assertTrue(verifyClass(IPushProducer, Server))

    def test_answers_in_order(self) -> None:
        """One after the other, on one connection, also when they come in one piece."""
        client = self.accept(serving(partial(content_of, b"hello")), GET + GET[:9])
        self.assertEqual(self.receive(client).count(b"\r\n\r\nhello"), 1)
        client.sendall(GET[9:] + GET)
        said = self.receive(client)
        self.assertEqual(said.count(b"\r\n\r\nhello"), 2)
        self.assertEqual(self.records, [])
        client.sendall(LAST)
        self.assertTrue(self.receive(client).endswith(b"hello"))
        client.close()
        record = self.record()
        self.assertEqual((record.end, record.backend), ("done", "respond"))
        self.assertEqual(record.sent, 3 * len(GET) + len(LAST))

    def test_more_answers_than_a_turn_has(self) -> None:
        """Others have their turn, and all requests their answer."""
        client = self.accept(serving(partial(content_of, b"hello")), GET)
        count = 10 * TURN
        client.sendall(GET * count)
        self.assertEqual(self.receive(client).count(b"hello"), count + 1)

    def test_slow_reader(self) -> None:
        """Nothing is read of what it is not ready for, nor of its own requests."""
        taken = 0

        class Counted:
            """The body, as a file that tells how much was read."""

            at = 0

            def read(self, size: int) -> bytes:
                nonlocal taken
                data = BODY[self.at : self.at + size]
                self.at += len(data)
                taken += len(data)
                return data

            def close(self) -> None:
                pass

        def content() -> Content:
            return Counted(), len(BODY)  # type: ignore[return-value] # enough of a file

        client = self.accept(serving(content), GET)
        self.reactor.settle()
        self.assertLess(taken, len(BODY) // 2)
        sent = 0
        with self.assertRaises(BlockingIOError):
            while True:
                sent += client.send(GET * 1000)
                self.reactor.settle()
        self.assertLess(sent, 4 << 20)
        self.assertLess(taken, len(BODY) // 2)
        said = b""
        while len(said) < len(BODY) + 200:
            said += client.recv(1 << 16)
            self.reactor.settle()
        self.assertIn(b"\r\n\r\n" + BODY, said)

    def test_closes_after_the_last(self) -> None:
        """The end follows the answer, and reading goes on until the client's."""
        client = self.accept(serving(partial(content_of, b"hello")), LAST)
        self.assertTrue(self.receive(client).endswith(b"hello"))
        self.assertTrue(self.is_ended(client))
        client.sendall(bytes(1 << 16))
        self.reactor.settle()
        self.assertEqual(self.records, [])
        client.close()
        self.assertEqual(self.record().end, "done")

    def test_lingers_for_a_while_only(self) -> None:
        """A client that never finishes is closed."""
        client = self.accept(serving(partial(content_of, b"hello")), LAST)
        self.reactor.advance(LINGER - 0.1)
        self.assertEqual(self.records, [])
        self.reactor.advance(0.2)
        self.assertEqual(self.record().end, "done")
        self.assertTrue(self.receive(client).endswith(b"hello"))

    def test_finished_client(self) -> None:
        """A request, then the end: the answer, then the end."""
        client = self.accept(serving(partial(content_of, b"hello")), GET)
        client.shutdown(socket.SHUT_WR)
        self.assertTrue(self.receive(client).endswith(b"hello"))
        self.assertTrue(self.is_ended(client))
        self.assertEqual(self.record().end, "done")

    def test_last_piece_that_waits(self) -> None:
        """Nothing is done while a client that has finished reads the last of it."""
        waited = 0
        for size in range(100_000, 600_000, 20_000):  # somewhere in there one waits
            client = self.accept(serving(partial(content_of, BODY[:size])), GET)
            client.shutdown(socket.SHUT_WR)
            self.reactor.settle()
            if not len(self.engine.tasks) and not self.records:
                waited += 1
                now = self.reactor.seconds()
                timers = self.reactor.getDelayedCalls()
                self.assertEqual([one for one in timers if one.getTime() <= now], [])
            self.assertTrue(self.receive(client).endswith(BODY[:size]))
            self.assertEqual(self.records.pop().end, "done")
        self.assertGreater(waited, 0)

    def test_client_that_says_nothing(self) -> None:
        """It has as much time as others, from the start; then it may still ask."""
        page = Page("test", 200, (), partial(content_of, b"hello"))
        plan = Serving("respond", partial(answer, page))
        wanted = policy([(b"x", plan)], silent=plan, silence=1.0)
        quiet, late = self.accept(wanted), self.accept(wanted)
        self.reactor.advance(1.1)
        late.sendall(GET)
        self.assertTrue(self.receive(late).endswith(b"hello"))
        self.reactor.advance(REQUEST - 0.2)
        self.assertFalse(self.is_ended(quiet))
        self.reactor.advance(0.3)
        self.assertEqual(self.receive(quiet), b"")
        self.assertTrue(self.is_ended(quiet))

    def test_trickled_request(self) -> None:
        """Octets do not buy time: a request has to be whole in time."""
        client = self.accept(serving(partial(content_of, b"hello")), GET)
        self.receive(client)
        for octet in GET[:10]:
            self.reactor.advance(REQUEST / 10 - 0.1)
            client.sendall(bytes([octet]))
            self.reactor.settle()
        self.assertEqual(self.records, [])
        self.reactor.advance(1.1)
        self.assertTrue(self.receive(client).startswith(b"HTTP/1.1 408 "))
        self.assertTrue(self.is_ended(client))
        client.close()
        self.assertEqual(self.record().end, "done")

    def test_time_begins_with_each_request(self) -> None:
        """A busy client keeps its connection; a silent one is closed."""
        client = self.accept(serving(partial(content_of, b"hello")), GET)
        for _ in range(5):
            self.reactor.advance(REQUEST - 1.0)
            client.sendall(GET)
            self.assertTrue(self.receive(client).endswith(b"hello"))
        self.reactor.advance(REQUEST + 0.1)
        self.assertEqual(self.receive(client), b"")
        self.assertTrue(self.is_ended(client))
        client.close()
        self.assertEqual(self.record().end, "done")

    def test_malformed(self) -> None:
        """One answer, the end, and the rest is dropped."""
        client = self.accept(serving(partial(content_of, b"hello")), b"hello\n" + GET)
        self.assertTrue(self.receive(client).startswith(b"HTTP/1.1 400 "))
        self.assertTrue(self.is_ended(client))
        client.sendall(GET)
        client.close()
        self.assertEqual(self.record().end, "done")

    def test_client_gone(self) -> None:
        """In the middle of an answer: nothing is left behind."""
        client = self.accept(serving(partial(content_of, BODY)), GET)
        self.reactor.settle()
        client.close()
        self.assertEqual(self.record().end, "client-lost")

    def test_stopped(self) -> None:
        """Nothing is left behind either."""
        before = os.listdir("/dev/fd")
        path = self.path("file")
        Path(path).write_bytes(BODY)
        client = self.accept(serving(partial(file_content, path)), GET)
        self.reactor.settle()
        self.engine.tasks.cancel()
        self.reactor.advance(60.0)
        self.assertEqual(self.record().end, "stopped")
        client.close()
        self.assertEqual(os.listdir("/dev/fd"), before)

    def test_stopped_between_requests(self) -> None:
        """Or in the middle of many: no timer either."""
        for requests in (1, 10 * TURN):
            client = self.accept(serving(partial(content_of, b"hello")), GET)
            client.sendall(GET * requests)
            self.reactor.turn()
            self.stop_all()
            self.assertEqual(self.records.pop().end, "stopped")


class FileTests(StageCase):
    """Files, read when they are asked for."""

    def setUp(self) -> None:
        super().setUp()
        self.file = Path(self.path("file"))
        self.policy = serving(partial(file_content, str(self.file)))
        self.logged = Logged(self, Server)

    def test_large_file(self) -> None:
        """To the octet, and closed in the end."""
        self.file.write_bytes(BODY)
        client = self.accept(self.policy, LAST)
        before = len(os.listdir("/dev/fd"))
        said = self.receive(client)
        self.assertIn(b"Content-Length: %d\r\n" % len(BODY), said)
        self.assertEqual(said.partition(b"\r\n\r\n")[2], BODY)
        self.assertEqual(len(os.listdir("/dev/fd")), before - 1)

    def test_changes_are_seen(self) -> None:
        """Without a word to us."""
        client = self.accept(self.policy)
        for content in (b"one", b"", b"three"):
            self.file.write_bytes(content)
            client.sendall(GET)
            said = self.receive(client)
            self.assertEqual(said.partition(b"\r\n\r\n")[2], content)

    def test_head(self) -> None:
        """The length, not the content."""
        self.file.write_bytes(b"content")
        client = self.accept(self.policy, GET.replace(b"GET", b"HEAD"))
        said = self.receive(client)
        self.assertIn(b"Content-Length: 7\r\n", said)
        self.assertTrue(said.endswith(b"\r\n\r\n"))

    def test_missing(self) -> None:
        """404, a line in the log, and the connection goes on."""
        client = self.accept(self.policy, GET)
        self.assertTrue(self.receive(client).startswith(b"HTTP/1.1 404 Not Found"))
        lines = [("warn", "test cannot be sent: no such file or directory")]
        self.assertEqual(self.logged.lines, lines)
        self.file.write_bytes(b"content")
        client.sendall(GET)
        self.assertTrue(self.receive(client).endswith(b"content"))

    def test_unreadable(self) -> None:
        """500, and a line in the log."""
        self.file.mkdir()
        client = self.accept(self.policy, GET)
        self.assertTrue(self.receive(client).startswith(b"HTTP/1.1 500 "))
        lines = [("warn", "test cannot be sent: not a regular file")]
        self.assertEqual(self.logged.lines, lines)

    def test_shrinking(self) -> None:
        """What was promised cannot be kept: the client must see that."""
        self.file.write_bytes(BODY)
        client = self.accept(self.policy, GET + GET)
        self.reactor.settle()
        os.truncate(self.file, len(BODY) // 2)
        said = self.receive(client).partition(b"\r\n\r\n")[2]
        self.assertEqual(said, BODY[: len(BODY) // 2])
        self.assertTrue(self.is_ended(client))
        client.close()
        record = self.record()
        self.assertEqual(record.end, "error")
        self.assertEqual(record.detail, "the body could not be sent whole")
        lines = [("warn", "test cannot be sent: shorter than it was")]
        self.assertEqual(self.logged.lines, lines)

    def test_growing(self) -> None:
        """No more than was promised."""
        self.file.write_bytes(BODY)
        client = self.accept(self.policy, GET)
        self.reactor.settle()
        with self.file.open("ab") as file:
            file.write(b"more")
        said = self.receive(client).partition(b"\r\n\r\n")[2]
        self.assertEqual(said, BODY)
