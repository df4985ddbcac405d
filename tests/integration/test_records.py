"""Records: one for each session, however it ends, and none that a peer has forged."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import socket
from collections import Counter
from collections.abc import Callable

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.record import Record
from portmux.core.sniff import Cause
from tests.integration.processes import (
    ROOT,
    ProcessCase,
    Running,
    backend,
    connect,
    exchange,
    say,
    until,
)
from tests.openings import OPENINGS
from tests.sockets import receive, reset

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z session=(?P<session>[1-9]\d*)"
    r" listener=[!-~]+ route=[!-~]+(?: pattern=\d+)? cause=[a-z-]+ client=[!-~]+"
    r" local=[!-~]+ backend=[!-~]+ attempts=\d+ sent=\d+ received=\d+"
    r" sniffed=\d+\.\d{3} seconds=\d+\.\d{3} end=(?P<end>[a-z-]+)"
    r'(?: [a-z]+=[!#-\[\]-~\\]*)*(?: detail="[^"\\\x00-\x1f\x7f]*")?'
    r'(?: hint="explain with: [ -!#-\[\]-~]*")?'
)
"""One record as text; quotes stand around nothing but detail and hint."""

CONFIG = """\
listeners:
  front:
    bind: "127.0.0.1:0"
    sniff: {{timeout: {timeout}}}
    routes:
      - {{name: echo, match: {{prefix: e}}, echo: }}
      - {{name: few, match: {{prefix: f}}, echo: , limits: {{connections: 1}}}}
      - {{name: back, match: {{prefix: b}}, forward: "127.0.0.1:{port}"}}
      - {{name: gone, match: {{prefix: g}}, forward: ["127.0.0.1:{shut}"]}}
      - {{name: run, match: {{prefix: r}}, exec: [cat]}}
      - {{name: fail, match: {{prefix: "!"}}, exec: [no-such-program]}}
      - {{name: close, match: {{prefix: c}}, close: {{reset: true}}}}
      - {{name: tls, match: {{tls: {{sni: "*.test"}}}}, echo: }}
      - {{name: http, match: {{http: {{host: "*.test"}}}}, echo: }}
  small:
    bind: "127.0.0.1:0"
    limits: {{connections: 1}}
    echo:
log: {{format: {format}, access: access.log}}
"""


class RecordCase(ProcessCase):
    """
    @ivar port: of the listener C{front}.
    @ivar target: where its route C{back} leads to.
    """

    def begin(self, form: str = "text", timeout: str = "1h") -> Running:
        """@return: the program, with a backend."""
        target = contextlib.ExitStack()
        self.addCleanup(target.close)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            shut = probe.getsockname()[1]
        self.target = target.enter_context(backend())
        text = CONFIG.format(timeout=timeout, port=self.target, shut=shut, format=form)
        running = self.portmux(text)
        self.port = running.port()
        return running

    def lines(self) -> list[str]:
        """@return: what stands in the access log, without a torn last line."""
        text = (self.folder / "access.log").read_bytes().decode()
        return text.split("\n")[:-1]

    def wait_for(self, count: int) -> list[str]:
        """@return: that many lines, once they are there."""
        until(
            lambda: len(self.lines()) >= count,
            lambda: f"{len(self.lines())} of {count} records",
        )
        return self.lines()

    def end(self, running: Running) -> list[str]:
        """@return: all lines, once the program has ended."""
        running.tell(signal.SIGTERM)
        running.tell(signal.SIGINT)  # a second TERM might be taken for the first
        until(lambda: "Server Shut Down" in running.text(), running.text)
        return self.lines()


def say_and_end(first: bytes) -> Callable[[int], None]:
    """@return: a client that says this, ends, and reads to the end."""

    def visit(port: int) -> None:
        with contextlib.suppress(ConnectionResetError):
            exchange(port, first)

    return visit


def say_and_reset(first: bytes, answer: int = 0) -> Callable[[int], None]:
    """@return: a client that is gone without an end once it has got so much."""

    def visit(port: int) -> None:
        client = connect(port)
        client.sendall(first)
        receive(client, answer)
        reset(client)

    return visit


def silence(port: int) -> None:
    """A client that looks whether the port is open."""
    connect(port).close()


WAYS: dict[str, tuple[str, Callable[[int], None]]] = {
    "echoed": ("done", say_and_end(b"e")),
    "forwarded": ("done", say_and_end(b"b")),
    "by a program": ("done", say_and_end(b"r")),
    "program that is not there": ("exec-failed", say_and_end(b"!")),
    "backend that is not there": ("connect-failed", say_and_end(b"g")),
    "closed by a route": ("closed", say_and_end(b"c")),
    "wanted by nobody": ("no-route", say_and_end(b"z")),
    "silent": ("no-route", silence),
    "reset at once": ("client-lost", say_and_reset(b"")),
    "reset while echoed": ("client-lost", say_and_reset(b"e", 1)),
    "reset while relayed": ("client-lost", say_and_reset(b"b", 1)),
}
"""Ways to end, by name: how that is called, and the client."""


class EveryEndTests(RecordCase):
    def check(self, form: str, read: Callable[[str], tuple[int, str]]) -> None:
        """Go all ways, one after the other; each leaves its own record at once."""
        running = self.begin(form)
        for count, (name, (how, visit)) in enumerate(WAYS.items(), 1):
            visit(self.port)
            number, end = read(self.wait_for(count)[-1])
            self.assertEqual((number, end), (count, how), name)
        self.assertEqual(len(self.end(running)), len(WAYS))

    def test_text(self) -> None:
        """One line each, numbered, with the word for its end."""

        def read(line: str) -> tuple[int, str]:
            match = LINE.fullmatch(line)
            assert match, line
            return int(match["session"]), match["end"]

        self.check("text", read)

    def test_json(self) -> None:
        """One object each, on one line, always with the same keys."""
        keys = set()

        def read(line: str) -> tuple[int, str]:
            record = json.loads(line)
            keys.add(tuple(record))
            return record["session"], record["end"]

        self.check("json", read)
        self.assertEqual(
            keys,
            {
                (
                    *("time", "session", "listener", "route", "pattern", "cause"),
                    *("client", "local", "backend", "attempts", "sent", "received"),
                    *("sniffed", "seconds", "end", "detail", "facts", "hint", "queued"),
                )
            },
        )

    def test_octets(self) -> None:
        """Both directions are counted, the sniffed ones too."""
        running = self.begin("json")
        with connect(self.port) as client:
            client.sendall(b"b" + b"x" * 99_999)
            self.assertEqual(len(receive(client, 100_000)), 100_000)
            client.sendall(b"more")
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(receive(client), b"more")
        record = json.loads(self.wait_for(1)[0])
        self.assertEqual((record["sent"], record["received"]), (100_004, 100_004))
        self.assertEqual(record["backend"], f"127.0.0.1:{self.target}")
        self.assertEqual((record["route"], record["cause"]), ("back", "match"))
        self.assertEqual(record["attempts"], 1)
        self.end(running)

    def test_limits(self) -> None:
        """Who is turned away has a record as well."""
        running = self.begin()
        small = running.port("small")
        with connect(small) as first:
            say(first, b"x")
            with connect(small) as second:
                self.assertEqual(receive(second), b"")
            (line,) = self.wait_for(1)
            self.assertIn(" route=- cause=refused ", line)
            self.assertIn(" end=limit-connections", line)
            with connect(self.port) as one, connect(self.port) as two:
                say(one, b"f")
                two.sendall(b"f")
                self.assertEqual(receive(two), b"")
                line = self.wait_for(2)[-1]
                self.assertIn(' end=limit-route-connections detail="route few"', line)
        self.assertEqual(len(self.end(running)), 4)

    def test_timeouts(self) -> None:
        """Who says too little for too long has one, with what was said."""
        running = self.begin(timeout="100ms")
        with connect(self.port) as silent, connect(self.port) as slow:
            slow.sendall(OPENINGS["tls13-curl"][:50])
            receive(silent)
            receive(slow)
        causes = [re.search(r"cause=(\S+)", line) for line in self.wait_for(2)]
        self.assertEqual({one and one[1] for one in causes}, {"silent", "timeout"})
        self.assertEqual(len(self.end(running)), 2)

    def test_cut(self) -> None:
        """Whatever state a session is in when the program ends, it has one."""
        running = self.begin()
        with contextlib.ExitStack() as stack:
            for first in (b"", b"\x16\x03", b"e", b"b", b"r"):
                client = stack.enter_context(connect(self.port))
                client.sendall(first)
                if first.isalpha():
                    self.assertEqual(receive(client, 1), first)
            until(lambda: len(running.descriptors()) > 12, running.text)
            lines = self.end(running)
        ends = Counter(line.partition(" end=")[2].split()[0] for line in lines)
        self.assertEqual(ends, {"drained": 5})


class DocumentationTests(SynchronousTestCase):
    """C{docs/operation.md} explains what stands in records."""

    def test_every_word(self) -> None:
        """No key and no cause is left out, nor any end that is seen here."""
        text = (ROOT / "docs" / "operation.md").read_text()
        keys = {field.name for field in attrs.fields(Record)} - {"number"}
        ends = {how for how, _ in WAYS.values()} | {"drained", "limit-connections"}
        words = keys | {"session"} | {cause.value for cause in Cause} | ends
        missing = {word for word in words if f"`{word}`" not in text}
        self.assertEqual(missing, set())


HOSTILE = (
    b'"\r\n 2 session=9 end=done\0\x1b[2J\x80\xff\\x0a\xe2\x80\xa8.test',
    b"\n\n\n\n.test",
    b"a b=c\td\x7f.test",
    b"'$(reboot)`id`.test",
    b'"end=done\\x0a=\\"detail="x.test',
)


class ForgeryTests(RecordCase):
    def test_names(self) -> None:
        """Host, target, SNI: nothing in them begins a line, or a field."""
        running = self.begin()
        count = 0
        for name in HOSTILE:
            for line_end in (b"\r\n", b"\n"):
                for request in (
                    b"GET / HTTP/1.1%bHost: %b%b%b",
                    b"GET /%b HTTP/1.1%b%b",
                ):
                    parts = (line_end, name, line_end, line_end)
                    if request.count(b"%b") == 3:
                        parts = (name, line_end, line_end)  # type: ignore[assignment]
                    say_and_end(request % parts)(self.port)
                    count += 1
            hello = OPENINGS["tls13-curl"]
            shown = b"www.example.org"
            self.assertIn(shown, hello)
            sized = name[:10].ljust(10, b"\n") + b".test"
            say_and_end(hello.replace(shown, sized))(self.port)
            count += 1
        self.check(running, count)

    def test_noise(self) -> None:
        """Nor in anything else, by the sample."""
        running = self.begin()
        chance = random.Random(8)
        openings = list(OPENINGS.values())
        for _ in range(150):
            data = bytearray(chance.choice(openings))
            for _ in range(chance.randrange(8)):
                data[chance.randrange(len(data))] = chance.choice(b'\n\r"\\ \0\x80=')
            say_and_end(bytes(data[: chance.randrange(1, len(data) + 1)]))(self.port)
        self.check(running, 150)

    def check(self, running: Running, count: int) -> None:
        """Check that there are so many lines, and nothing else in them."""
        self.wait_for(count)
        lines = self.end(running)
        self.assertEqual(len(lines), count)
        for line in lines:
            self.assertTrue(line.isascii() and LINE.fullmatch(line), line)
        self.assertEqual(
            [int(LINE.fullmatch(line)["session"]) for line in lines],  # type: ignore[index]
            list(range(1, count + 1)),
        )

    def test_json(self) -> None:
        """As JSON the same octets are in their place, and readable."""
        running = self.begin("json")
        exchange(self.port, b'GET /"\\,{}?q HTTP/1.1\r\nHost: A.test:80\r\n\r\n')
        (line,) = self.wait_for(1)
        self.assertTrue(line.isascii())
        self.assertEqual(
            json.loads(line)["facts"],
            {
                "method": "GET",
                "path": "/\\x22\\x5c,{}",
                "host": "a.test",
                "version": "1.1",
            },
        )
        self.end(running)

    def test_unix_client(self) -> None:
        """The path of a client's socket is the client's choice."""
        text = (
            'listeners: {front: {bind: "unix:front", echo: }}\n'
            "log: {access: access.log}\n"
        )
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        running = self.portmux(text)
        with socket.socket(socket.AF_UNIX) as client:
            client.bind('a"\nb end=done')
            client.connect("front")
            say(client, b"x")
        (line,) = self.wait_for(1)
        self.assertTrue(LINE.fullmatch(line), line)
        self.assertIn(r"client=unix:a\x22\x0ab\x20end=done ", line)
        self.end(running)
