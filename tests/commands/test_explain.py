"""Test portmux.commands.explain."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from portmux.commands import explain
from portmux.core.record import hint
from tests.openings import OPENINGS
from tests.test_cli import CliCase

CONF = """\
listeners:
  front:
    bind: ["*:443"]
    routes:
      - {name: ssh, match: ssh, forward: "127.0.0.1:22"}
      - {name: git, match: {tls: {sni: [x, "*.example.org"]}}, forward: "10.0.0.1:443"}
      - {name: near, match: {source: 10.0.0.0/8}, forward: ["10.0.0.2:80", "unix:/x"]}
      - {name: web, match: {http: {host: "*.example.org"}}, echo: }
      - {name: get, match: {prefix: "GET"}, close: {reset: true}}
    fallback: {respond: "bye"}
    undecided: close
  back:
    bind: ["127.0.0.1:25", "unix:/run/back"]
    forward: "127.0.0.1:2525"
"""

COMMAND = explain.__name__.rpartition(".")[2]

PAGE = Path(__file__).parent.parent.parent / "docs" / "explain.md"

GET = r"GET / HTTP/1.1\r\nHost: a.example.org\r\n\r\n"


class ExplainCase(CliCase):
    def explain(self, *words: str, conf: str = CONF, status: int = 0) -> list[str]:
        """@return: the lines that are printed."""
        name = self.write(conf)
        self.assertEqual(
            self.call(COMMAND, "-c", name, *words), status, self.errors.getvalue()
        )
        return self.out.getvalue().splitlines()

    def explained(self, *words: str) -> Any:
        """@return: what is printed as JSON."""
        self.explain("--listener", "front", *words, "--json")
        return json.loads(self.out.getvalue())


class TextTests(ExplainCase):
    def test_whole(self) -> None:
        """Every route in order, and then what wins."""
        self.assertEqual(
            self.explain("--listener", "front", "--text", GET, "--cuts"),
            [
                "listener front: 39 octets from 192.0.2.1:50000 (assumed)"
                " to 198.51.100.1:443 (assumed)",
                "",
                "   route  verdict  octets  reason",
                "   ssh    no       1       no SSH identification starts with G",
                "   git    no       1       no ClientHello: record of type 71,"
                " not a handshake",
                "   near   no       0       source 192.0.2.1:50000 is not among"
                " those chosen",
                "*  web    yes      39      the head is whole"
                " (method=GET host=a.example.org path=/ version=1.1)",
                "   get    yes      3       starts with GET",
                "",
                "web wins by match: echo, after 39 octets",
                "cut into segments in 240 ways, the same each time",
            ],
        )

    def test_undecided(self) -> None:
        """Both ends are told."""
        lines = self.explain("--listener", "front", "--text", "GET")
        self.assertEqual(
            lines[-3:],
            [
                "undecided after 3 octets",
                "if the client ends now: get wins by eof: reset",
                "if nothing more comes within 3s: no route wins (timeout),"
                " undecided: close",
            ],
        )
        self.assertRegex(lines[6], r"\A +web +more +- +the request line is incomp")

    def test_silent(self) -> None:
        """Nothing that comes is something to explain too."""
        lines = self.explain("--listener", "front", "--text", "")
        self.assertEqual(
            lines[-3:],
            [
                "undecided after 0 octets",
                "if the client ends now: no route wins (eof), close",
                "if nothing more comes within 3s: no route wins (silent),"
                " fallback: respond",
            ],
        )

    def test_no_timeout(self) -> None:
        """Who waits without end is told so."""
        conf = CONF.replace(
            "    undecided", "    sniff: {timeout: none}\n    undecided"
        )
        lines = self.explain("--listener", "front", "--text", "GET", conf=conf)
        self.assertIn("it waits without end", lines[-1])

    def test_fallback(self) -> None:
        """A route that did not win is not marked."""
        lines = self.explain("--listener", "front", "--hex", "01")
        self.assertFalse([line for line in lines if line.startswith("*")])
        self.assertEqual(
            lines[-1], "no route wins (none-left), fallback: respond, after 1 octet"
        )

    def test_addresses(self) -> None:
        """What was said is not assumed."""
        words = ("--source", "10.1.2.3:5", "--local", "192.0.2.9:443", "--text", "GET")
        lines = self.explain(*words)
        self.assertEqual(
            lines[0], "listener front: 3 octets from 10.1.2.3:5 to 192.0.2.9:443"
        )
        self.assertEqual(
            lines[-1],
            "near wins by match: forward to 10.0.0.2:80, unix:/x, after 1 octet",
        )

    def test_time(self) -> None:
        """Said, with a zone or in the system's; else it is now."""
        conf = (
            'listeners: {front: {bind: "*:1", routes: ['
            '{name: office, match: {time: {hours: "08:00-18:00", zone: UTC}}, echo: }, '
            "{name: ever, match: {time: 00:00-24:00}, close: }]}}\n"
        )
        for at, wins in (
            ("2026-02-27T17:59:59Z", "office"),
            ("2026-02-27T18:00Z", "ever"),
            ("2026-02-27T18:30+01:00", "office"),
        ):
            lines = self.explain("--at", at, "--text", "x", conf=conf)
            self.assertTrue(lines[-1].startswith(f"{wins} wins by match"), lines)
        self.assertRegex(self.explain("--text", "x", conf=conf)[-1], "^(office|ever) ")

    def test_pool(self) -> None:
        """Where a pool is named, its backends are told."""
        conf = (
            'listeners: {front: {bind: "*:1", forward: {pool: web}}}\n'
            'pools: {web: {backends: ["10.0.0.1:80", "10.0.0.2:80"]}}\n'
        )
        lines = self.explain("--text", "x", conf=conf)
        self.assertIn("forward to 10.0.0.1:80, 10.0.0.2:80", lines[-1])

    def test_tunnel(self) -> None:
        """It is a listener, called by its local socket."""
        words = ("--listener", "127.0.0.1:3000", "--text", "x")
        lines = self.explain(*words, conf='tunnels: ["3000=10.0.0.1:80"]\n')
        self.assertIn("forward to 10.0.0.1:80", lines[-1])


class JsonTests(ExplainCase):
    def test_real_hello(self) -> None:
        """All that the table says, for programs."""
        data = OPENINGS["tls13-curl"]
        found = self.explained("--hex", data.hex(), "--cuts")
        self.assertEqual(found["octets"], len(data))
        self.assertEqual(
            (found["decision"], found["after"]),
            (
                {
                    "route": "git",
                    "cause": "match",
                    "action": "forward to 10.0.0.1:443",
                },
                len(data),
            ),
        )
        git = found["routes"][1]
        self.assertEqual((git["won"], git["pattern"]), (True, 1))
        self.assertEqual(git["facts"]["alpn"], "h2,http/1.1")
        self.assertEqual(found["routes"][0]["route"], "ssh")
        self.assertIsNone(found["cuts"]["differing"])
        self.assertIsNone(found["at-eof"])

    def test_undecided(self) -> None:
        """What is not there is null."""
        found = self.explained("--text", "GET")
        self.assertIsNone(found["decision"])
        self.assertEqual(found["at-eof"]["route"], "get")
        self.assertEqual(found["at-timeout"]["cause"], "timeout")
        self.assertNotIn("cuts", found)


class OctetTests(ExplainCase):
    def test_ways_to_give_them(self) -> None:
        """Text with escapes, hexadecimal, a file and standard input are one."""
        data = b'GET /\\\r\n\t\xff"'
        self.path.with_suffix(".bin").write_bytes(data)
        ways = [
            ("--text", r"GET /\5c\r\n\t\ff" + '"'),
            ("--hex", data.hex()),
            ("--hex", data.hex(" ")),
            ("--file", str(self.path.with_suffix(".bin"))),
            ("--file", "-"),
        ]
        seen: list[list[str]] = []
        for way in ways:
            self.patch(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
            seen.append(self.explain("--listener", "front", *way))
        self.assertIn(f": {len(data)} octets from", seen[0][0])
        self.assertEqual(seen, seen[:1] * len(ways))

    def test_other_backslashes(self) -> None:
        """They stand for themselves, as in the configuration."""
        found = self.explained("--text", r"GET \x")
        self.assertEqual(found["octets"], 6)

    def test_the_hint_of_a_record(self) -> None:
        """What a record says can be typed, and explains that session."""
        words = hint("front", b"\1\2").partition("portmux explain ")[2].split()
        lines = self.explain(*words)
        self.assertIn("no route wins (none-left)", lines[-1])


class ListenerTests(ExplainCase):
    def test_by_local(self) -> None:
        """The address that the client connected to says whose routes are asked."""
        for local, name in (
            ("192.0.2.9:443", "front"),
            ("[2001:db8::1]:443", "front"),
            ("127.0.0.1:25", "back"),
            ("unix:/run/back", "back"),
        ):
            lines = self.explain("--local", local, "--text", "x")
            self.assertTrue(lines[0].startswith(f"listener {name}: "), local)

    def test_only_one(self) -> None:
        """Nothing is to be chosen then, wherever the client connected to."""
        conf = CONF.partition("  back:")[0]
        lines = self.explain("--local", "192.0.2.9:9", "--text", "SSH-2.0-", conf=conf)
        self.assertIn("ssh wins by match", lines[-1])

    def test_without_routes(self) -> None:
        """The listener's own action stands in the table too."""
        lines = self.explain("--listener", "back", "--text", "x")
        self.assertIn("to 127.0.0.1:25 (assumed)", lines[0])
        self.assertRegex(lines[3], r"\A\*  forward +yes +0 +every connection matches")

    def test_unix(self) -> None:
        """A client of a unix socket has no address."""
        conf = 'listeners: {a: {bind: "unix:/run/x", echo: }}'
        lines = self.explain("--text", "x", conf=conf)
        self.assertIn("from unix: (assumed) to unix:/run/x (assumed)", lines[0])

    def test_inherited(self) -> None:
        """A socket of the service manager has some address."""
        conf = 'listeners: {a: {bind: "systemd:x", echo: }}'
        self.assertIn(
            "to 198.51.100.1:443 (a", self.explain("--text", "x", conf=conf)[0]
        )


class FaultTests(ExplainCase):
    def test_one_line_each(self) -> None:
        """What is wrong, and what is allowed."""
        for words, said in (
            (["--listener", "x"], 'there is no "x", there are: back, front'),
            ([], "there are several listeners, choose one by --listener: back, front"),
            (["--local", "192.0.2.1:9"], "nobody listens on 192.0.2.1:9, there are: b"),
            (["--source", "10.0.0.1"], '--source: "10.0.0.1" has no port'),
            (["--at", "noon"], '--at: "noon" is no time such as 2026-02-27T18:30'),
            (["--local", "x:y"], '--local: "y" is not a port'),
        ):
            self.explain(*words, "--text", "x", status=2)
            (line,) = self.errors.getvalue().splitlines()
            self.assertIn(said, line)

    def test_octets(self) -> None:
        """They must be readable."""
        self.explain("--hex", "4g", status=2)
        self.assertEqual(
            self.errors.getvalue(),
            '--hex: "4g" is not hexadecimal, pairs of 0-9 and a-f are allowed\n',
        )
        self.explain("--file", "no/such", status=2)
        self.assertEqual(
            self.errors.getvalue(),
            "--file: no/such cannot be read: no such file or directory\n",
        )

    def test_none_or_two_sources_of_octets(self) -> None:
        """One is needed."""
        self.explain(status=2)
        self.assertIn("--text --hex --file is required", self.errors.getvalue())
        self.explain("--text", "x", "--hex", "00", status=2)
        self.assertIn("not allowed with", self.errors.getvalue())


class PageTests(CliCase):
    """docs/explain.md shows what is so."""

    def test_examples(self) -> None:
        """Each command prints what stands below it."""
        text = PAGE.read_text()
        found = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
        assert found is not None
        name = self.write(found[1])
        shown = re.findall(r"```console\n\$ portmux (.*)\n([^`]*)```", text)
        self.assertGreater(len(shown), 2)
        for command, output in shown:
            words = shlex.split(command)
            words = [name if word == "portmux.conf" else word for word in words]
            self.call(*words)
            said = self.out.getvalue() + self.errors.getvalue()
            self.assertEqual(said.replace(name, "portmux.conf"), output, command)
