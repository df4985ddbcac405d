"""Tests for L{portmux.net.program}: real engine, sockets and programs; our clock."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Address, Host, Unix
from portmux.core.head import Head, Reason, Verdict
from portmux.core.limits import Count, Gate, Limits
from portmux.core.plan import Serving
from portmux.core.policy import Policy
from portmux.core.record import Record
from portmux.core.session import LINGER
from portmux.core.sniff import Route, Table, Way
from portmux.net.descriptors import Budget
from portmux.net.engine import Engine
from portmux.net.front import Front
from portmux.net.process import Command
from portmux.net.program import Runner
from tests.net.polled import Polled
from tests.net.programs import is_alive

SOURCE = Host("192.0.2.7", 40000)
LOCAL = Host("::1", 443)

STUBBORN = "trap '' HUP; echo $$; sleep 99"
"""Shell: ignore SIGHUP, then say who does."""


class Word:
    """A matcher: one byte is enough."""

    def match(self, head: Head) -> Verdict:
        return Verdict.YES if head.data else Verdict.MORE

    def why(self, head: Head) -> Reason:
        return Reason("a byte")


class Visit:
    """
    One client of a listener whose only route runs a program.

    @ivar got: what the client was sent; C{ended} once it was told the end.
    @ivar records: of the session, once it is over.
    """

    def __init__(
        self, *arguments: str, source: Address = SOURCE, **options: Any
    ) -> None:
        self.reactor = Polled()
        self.records: list[Record] = []
        self.engine = Engine(self.reactor, Budget(100), self.records.append)
        options.setdefault("environment", os.environ)
        runner = Runner(Command(arguments=arguments, **options))
        way = Way("shell", Serving("exec", runner.serve))
        policy = Policy("front", Table([Route(Word(), way)]), Gate(Limits(), Count()))
        self.client, theirs = socket.socketpair()
        self.client.setblocking(False)
        theirs.setblocking(False)
        self.got = b""
        self.ended = self.closed = False
        self.engine.accept(theirs, source, LOCAL, policy)

    def send(self, data: bytes) -> None:
        """Send it whole, whatever the program does meanwhile."""
        left = memoryview(data)

        def sent() -> bool:
            nonlocal left
            try:
                left = left[self.client.send(left) :]
            except BlockingIOError:
                return False
            return not left

        self.reactor.until(sent)

    def finish(self) -> None:
        """The client will send no more."""
        self.client.shutdown(socket.SHUT_WR)

    def receive(self) -> None:
        """Take what has come."""
        if self.ended:
            return
        try:
            while data := self.client.recv(65536):
                self.got += data
        except BlockingIOError:
            return
        except ConnectionResetError:
            pass
        self.ended = True

    def until_got(self, data: bytes) -> None:
        """Turn until what the client got ends with C{data}."""

        def got() -> bool:
            self.receive()
            return self.got.endswith(data)

        self.reactor.until(got)

    def until_seen(self) -> bytes:
        """
        Turn until there is a line for the client.

        @return: it; it stays unread, so that to close now is to reset.
        """
        seen = b""

        def line() -> bool:
            nonlocal seen
            try:
                seen = self.client.recv(65536, socket.MSG_PEEK)
            except BlockingIOError:
                return False
            return seen.endswith(b"\n")

        self.reactor.until(line)
        return seen

    def until_end(self) -> None:
        """Turn until the client was told that no more comes."""

        def ended() -> bool:
            self.receive()
            return self.ended

        self.reactor.until(ended)

    def until_over(self) -> Record:
        """
        Turn until the session is over; the client closes when it is told the end.

        @return: its record.
        """

        def over() -> bool:
            self.receive()
            if self.ended and not self.closed:
                self.closed = True
                self.client.close()
            return bool(self.records)

        self.reactor.until(over)
        return self.records[0]

    def until_closed(self) -> Record:
        """As L{until_over}, when the client has gone."""
        self.reactor.until(lambda: self.records)
        return self.records[0]

    def close(self) -> None:
        """Leave nothing behind."""
        self.client.close()
        if not self.records:
            for front in list(self.engine.live):
                front.stop("test")
            self.engine.tasks.cancel()
            self.engine.tasks.cancel()
            self.reactor.until(lambda: self.records)
        self.engine.deadlines.stop()


class RunnerCase(SynchronousTestCase):
    def visit(self, *arguments: str, **options: Any) -> Visit:
        """Connect a client to a program."""
        visit = Visit(*arguments, **options)
        self.addCleanup(visit.close)
        return visit

    def shell(self, code: str, **options: Any) -> Visit:
        """Connect a client to a script of the shell."""
        return self.visit("sh", "-c", code, **options)


class RunnerTests(RunnerCase):
    def test_both_ways(self) -> None:
        """The sniffed bytes are the first input; the client's end is its end."""
        visit = self.visit("cat")
        visit.send(b"RUN ")
        visit.until_got(b"RUN ")
        visit.send(b"now\n")
        visit.finish()
        record = visit.until_over()
        self.assertEqual((visit.got, visit.ended), (b"RUN now\n", True))
        self.assertEqual((record.sent, record.received), (8, 8))
        self.assertEqual((record.end, record.detail), ("done", "exit status 0"))
        self.assertEqual((record.route, record.backend), ("shell", "exec"))

    def test_all_output(self) -> None:
        """Whatever it wrote before its end is delivered before ours."""
        visit = self.visit("seq", "1", "200000")
        visit.send(b"x")
        record = visit.until_over()
        self.assertEqual(visit.got, b"".join(b"%d\n" % n for n in range(1, 200001)))
        self.assertEqual((len(visit.got), visit.ended), (1_288_895, True))
        self.assertEqual(record.received, 1_288_895)

    def test_bulk_both_ways(self) -> None:
        """Much more than any buffer holds comes back octet for octet."""
        visit = self.visit("cat")
        data = os.urandom(3 << 20)
        for start in range(0, len(data), 1 << 16):
            visit.send(data[start : start + (1 << 16)])
            visit.receive()
        visit.finish()
        visit.until_over()
        self.assertEqual(visit.got, data)

    def test_half_close_of_the_client(self) -> None:
        """A program that answers at the end of its input is heard."""
        visit = self.visit("wc", "-c")
        visit.send(b"12345")
        visit.finish()
        visit.until_over()
        self.assertEqual(visit.got.strip(), b"5")

    def test_half_close_of_the_program(self) -> None:
        """Output that ends is told at once; input goes on until the client ends."""
        place = self.mktemp()
        visit = self.shell(f"echo bye; exec >&-; cat >{place}; exit 3")
        visit.send(b"first ")
        visit.until_end()
        self.assertEqual((visit.got, visit.records), (b"bye\n", []))
        visit.send(b"second")
        visit.finish()
        self.assertEqual(visit.until_over().detail, "exit status 3")
        with open(place, "rb") as file:
            self.assertEqual(file.read(), b"first second")

    def test_program_does_not_read(self) -> None:
        """Input that it closed is no reason to lose its output, or the client's end."""
        visit = self.shell("exec <&-; echo on; sleep 0.2; echo off")
        visit.send(b"x" * 1000)
        visit.until_got(b"on\n")
        visit.send(os.urandom(1 << 20))
        visit.until_over()
        self.assertEqual(visit.got, b"on\noff\n")

    def test_slow_client(self) -> None:
        """A client that does not read stops the program, not our memory."""
        visit = self.visit("yes")
        visit.send(b"x")
        while visit.reactor.turn(0.2):
            continue
        self.assertLess(visit.engine.live.copy().pop().session.received, 1 << 20)
        visit.client.close()
        self.assertEqual(visit.until_closed().end, "client-lost")

    def test_slow_program(self) -> None:
        """A program that does not read stops the client, not our memory."""
        visit = self.visit("sleep", "99")
        sent = 0
        try:
            while True:
                sent += visit.client.send(b"x" * 65536)
                while visit.reactor.turn():
                    continue
        except BlockingIOError:
            pass
        self.assertLess(sent, 2 << 20)

    def test_errors_go_to_the_log(self) -> None:
        """The client never sees standard error; the log does, and whose it is."""
        with capturedLogs() as events:
            visit = self.shell("echo 'oops \"now\"' >&2; echo fine")
            visit.send(b"x")
            visit.until_over()
        self.assertEqual(visit.got, b"fine\n")
        (event,) = [event for event in events if "line" in event]
        self.assertEqual(event["line"], r"oops \x22now\x22")
        self.assertEqual((event["listener"], event["route"]), ("front", "shell"))

    def test_terminal(self) -> None:
        """The program sees a terminal, and the client its usual manners."""
        visit = self.shell('tty; read l; echo "<$l>"', terminal=True)
        visit.send(b"PTY go\n")
        visit.until_over()
        self.assertRegex(visit.got, rb"/dev/pts/\d+\r\n")
        self.assertIn(b"PTY go\r\n", visit.got)
        self.assertIn(b"<PTY go>\r\n", visit.got)

    def test_end_of_input_at_a_terminal(self) -> None:
        """The client's end is the terminal's; an unfinished line is not lost."""
        for sent in (b"one\ntwo", b"one\n"):
            visit = self.shell("stty -echo; echo on; cat; echo .", terminal=True)
            visit.send(b"zero\n")
            visit.until_got(b"on\r\nzero\r\n")
            visit.send(sent)
            visit.finish()
            visit.until_over()
            self.assertTrue(
                visit.got.endswith(sent.replace(b"\n", b"\r\n") + b".\r\n"), visit.got
            )

    def test_all_output_of_a_terminal(self) -> None:
        """A terminal's hang-up comes after what was written to it."""
        visit = self.visit("seq", "1", "20000", terminal=True)
        visit.send(b"x\n")
        visit.until_over()
        expected = b"".join(b"%d\r\n" % n for n in range(1, 20001))
        self.assertEqual(visit.got.replace(b"x\r\n", b""), expected)


class EndTests(RunnerCase):
    def visited(self, code: str, **options: Any) -> tuple[Visit, int]:
        """
        Connect to a program that says its number once it is ready.

        @return: a client that has left that unread, and the number.
        """
        visit = self.shell(code, **options)
        visit.send(b"x")
        return visit, int(visit.until_seen())

    def test_client_gone(self) -> None:
        """SIGHUP at once; the session ends with the program."""
        visit, pid = self.visited("echo $$; exec sleep 99")
        visit.client.close()
        record = visit.until_closed()
        self.assertEqual(record.end, "client-lost")
        self.assertFalse(os.path.exists(f"/proc/{pid}"))

    def test_client_gone_program_stubborn(self) -> None:
        """SIGKILL when its time is up; until then the session counts."""
        visit, pid = self.visited(STUBBORN, kill_after=3.0)
        (front,) = visit.engine.live
        assert isinstance(front, Front)
        visit.client.close()
        visit.reactor.until(lambda: not front.transport.connected)
        visit.reactor.turn(0.1)
        self.assertTrue(is_alive(pid))
        self.assertEqual(visit.records, [])
        visit.reactor.advance(3)
        visit.until_closed()
        self.assertFalse(os.path.exists(f"/proc/{pid}"))

    def test_max_time(self) -> None:
        """The record says that time was up, and the client sees an end."""
        visit, _ = self.visited("echo $$; exec sleep 99", max_time=60.0)
        visit.reactor.advance(60)
        record = visit.until_over()
        self.assertEqual((record.end, record.detail), ("max-time", "killed by SIGHUP"))
        self.assertTrue(visit.ended)

    def test_client_stays(self) -> None:
        """A client that was told the end has some time to say its own."""
        visit = self.visit("echo")
        visit.send(b"x")
        visit.until_end()
        visit.send(b"unread by anybody")
        while visit.reactor.turn(0.1):
            continue
        self.assertEqual(visit.records, [])
        visit.reactor.advance(LINGER)
        record = visit.until_closed()
        self.assertEqual((record.end, record.detail), ("done", "exit status 0"))
        self.assertEqual(visit.reactor.getDelayedCalls(), [])

    def test_cancelled(self) -> None:
        """Who cancels gets the end of the program to wait for."""
        visit, pid = self.visited(
            "trap 'echo bye; exit 0' HUP; echo $$; while :; do :; done"
        )
        ended = visit.engine.tasks.cancel()
        self.assertNoResult(ended)
        visit.until_over()
        self.successResultOf(ended)
        self.assertTrue(visit.got.endswith(b"bye\n"))
        self.assertFalse(os.path.exists(f"/proc/{pid}"))

    def test_cancelled_again(self) -> None:
        """Who is in a hurry does not wait for SIGKILL."""
        visit, pid = self.visited(STUBBORN)
        visit.engine.tasks.cancel()
        visit.reactor.turn(0.1)
        self.assertTrue(is_alive(pid))
        visit.engine.tasks.cancel()
        visit.until_over()
        self.assertFalse(os.path.exists(f"/proc/{pid}"))

    def test_cannot_run(self) -> None:
        """The client sees an end and no octet; log and record say why."""
        with capturedLogs() as events:
            path = {"PATH": os.defpath}  # of which every folder may be searched
            visit = self.visit("no such program", "secret", environment=path)
            visit.send(b"x")
            record = visit.until_over()
        self.assertEqual((visit.got, visit.ended), (b"", True))
        why = "No such file or directory: no such program"
        self.assertEqual((record.end, record.detail), ("exec-failed", why))
        (event,) = [one for one in events if one["log_level"] is LogLevel.warn]
        self.assertEqual(event["reason"], why)
        self.assertEqual(event["program"], "'no such program'")


class EnvironmentTests(RunnerCase):
    def variables(self, **options: Any) -> dict[str, str]:
        """@return: what the program finds about its client."""
        visit = self.visit("env", **options)
        visit.send(b"x")
        visit.until_over()
        found = dict(line.split("=", 1) for line in visit.got.decode().splitlines())
        return {k: v for k, v in found.items() if k.startswith(("PORTMUX_", "COLOUR"))}

    def test_about_the_client(self) -> None:
        """It learns whom it serves; the rest of the environment stays."""
        environment = {**os.environ, "COLOUR": "blue"}
        self.assertEqual(
            self.variables(environment=environment),
            {
                "COLOUR": "blue",
                "PORTMUX_REMOTE_ADDR": "192.0.2.7",
                "PORTMUX_REMOTE_PORT": "40000",
                "PORTMUX_LOCAL_ADDR": "::1",
                "PORTMUX_LOCAL_PORT": "443",
                "PORTMUX_LISTENER": "front",
                "PORTMUX_ROUTE": "shell",
            },
        )

    def test_unix_client(self) -> None:
        """A unix socket has no port, and mostly no name."""
        found = self.variables(source=Unix(""))
        self.assertEqual(
            (found["PORTMUX_REMOTE_ADDR"], found["PORTMUX_REMOTE_PORT"]), ("", "")
        )
