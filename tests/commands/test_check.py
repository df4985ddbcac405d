"""Test portmux.commands.check."""

from __future__ import annotations

import socket

from portmux.commands import check
from tests.test_cli import SPLIT, TEXT, CliCase

COMMAND = check.__name__.rpartition(".")[2]

SHADOWED = """\
listeners:
  front:
    bind: "127.0.0.1:8400"
    routes:
      - {name: tls, match: tls, close: }
      - {name: get, match: {prefix: "GET"}, close: }
      - name: git
        match: {tls: {sni: git.example.org}}
        close:
      - {name: two, match: [{prefix: "GET /"}, {tls: {alpn: h2}}], close: }
      - {name: end, match: {regex: "a$"}, close: }
      - {name: ssh, match: ssh, close: }
  back:
    bind: "127.0.0.1:8401"
    routes: {name: ssh, match: ssh, close: }
"""


class CheckTests(CliCase):
    def test_in_order(self) -> None:
        """One line tells what was found; nothing is run."""
        name = self.write(TEXT.replace("${SECONDS}", "3s"))
        self.assertEqual(self.call(COMMAND, "-c", name), 0)
        self.assertEqual(
            self.out.getvalue(), f"{name}: in order, 1 listener(s), 2 route(s)\n"
        )
        self.assertEqual(self.errors.getvalue(), "")

    def test_faults(self) -> None:
        """All of them, in their order, and status 2."""
        name = self.write(
            "listeners:\n  front:\n    bind: 1\n    echoo:\ndrain: soon\n"
        )
        self.assertEqual(self.call(COMMAND, "-c", name), 2)
        lines = self.errors.getvalue().splitlines()
        self.assertGreaterEqual(len(lines), 3)
        self.assertEqual(lines, sorted(lines))
        self.assertEqual([one for one in lines if not one.startswith(name)], [])
        self.assertEqual(self.out.getvalue(), "")

    def test_lacking(self) -> None:
        """What portmux would not start for is a fault, with its place."""
        name = self.write(
            'listeners:\n  front:\n    bind: "127.0.0.1:1"\n    exec: [no-such-one]\n'
            "control:\n  token-file: /no/token\n"
        )
        self.assertEqual(self.call(COMMAND, "-c", name), 2)
        self.assertEqual(
            self.errors.getvalue().splitlines(),
            [
                f"{name}:4:11: listeners.front.exec.command: warning: there is no"
                ' program "no-such-one"',
                f"{name}:6:15: control.token-file: /no/token cannot be read: no such"
                " file or directory",
            ],
        )
        self.assertEqual(self.out.getvalue(), "")

    def test_settings_and_syntax(self) -> None:
        """They are those that run would have."""
        name = self.write(TEXT)
        self.assertEqual(self.call(COMMAND, "-c", name, "--set", "drain=x"), 2)
        self.assertEqual(self.call(COMMAND, "-c", name, "--syntax", "toml"), 2)

    def test_no_file(self) -> None:
        """It is named."""
        self.assertEqual(self.call(COMMAND, "-c", "no/such"), 2)
        self.assertEqual(
            self.errors.getvalue(),
            "no/such: cannot be read: no such file or directory\n",
        )


class ShadowTests(CliCase):
    def test_routes_that_never_win(self) -> None:
        """A warning each, with both places; the file is in order all the same."""
        name = self.write(SHADOWED)
        self.assertEqual(self.call(COMMAND, "-c", name), 0)
        self.assertEqual(
            self.errors.getvalue().splitlines(),
            [
                f'{name}:7:9: listeners.front.routes.2: warning: route "git" can never'
                f' win: "tls" ({name}:5:9) above it takes all that it matches',
                f'{name}:10:9: listeners.front.routes.3: warning: route "two" can never'
                f' win: "tls" ({name}:5:9), "get" ({name}:6:9) above it together take'
                " all that it matches",
                f'{name}:11:9: listeners.front.routes.4: warning: route "end" can match'
                " nothing",
            ],
        )
        self.assertIn("in order, 2 listener(s), 7 route(s)", self.out.getvalue())

    def test_portsplit(self) -> None:
        """Files in its syntax have lines too."""
        text = SPLIT.replace(
            "[fallback]", "[more]\nstring = SSH-2\nconnect = 127.0.0.1:23\n[fallback]"
        )
        name = self.write(text)
        self.assertEqual(self.call(COMMAND, "-c", name), 0, self.errors.getvalue())
        self.assertRegex(
            self.errors.getvalue(),
            rf'\A{name}:\d.* route "more" can never win: "ssh" \({name}:\d+',
        )


class ProbeTests(CliCase):
    def probe(self, backend: str) -> int:
        text = TEXT.replace("${SECONDS}", "3s").replace("127.0.0.1:22", backend)
        return self.call(COMMAND, "-c", self.write(text), "--probe")

    def test_answers(self) -> None:
        """It is said of each."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            backend = "{}:{}".format(*server.getsockname())
            self.assertEqual(self.probe(backend), 0)
        self.assertEqual(
            self.out.getvalue().splitlines()[1:],
            [f"listener front, route ssh, backend {backend}: answers"],
        )
        self.assertEqual(self.errors.getvalue(), "")

    def test_pools(self) -> None:
        """The backends of pools are asked, too."""
        text = (
            'listeners: {front: {bind: "*:1", forward: {pool: web}}}\n'
            'pools: {web: {backends: ["127.0.0.1:1"]}}\n'
        )
        self.assertEqual(self.call(COMMAND, "-c", self.write(text), "--probe"), 1)
        self.assertEqual(
            self.errors.getvalue(),
            "listener front, route forward, backend 127.0.0.1:1: connection refused\n",
        )

    def test_tunnels(self) -> None:
        """They are listeners, and their remotes are asked."""
        self.assertEqual(
            self.call(COMMAND, "-c", self.write('tunnels: ["3000=1"]\n'), "--probe"), 1
        )
        self.assertIn("in order, 1 listener(s), 0 route(s)", self.out.getvalue())
        self.assertEqual(
            self.errors.getvalue(),
            "listener 127.0.0.1:3000, route tunnel, backend 127.0.0.1:1: "
            "connection refused\n",
        )

    def test_mux(self) -> None:
        """So is what many clients share."""
        text = (
            'listeners: {meter: {bind: "*:1", mux: {protocol: modbus, '
            'to: "127.0.0.1:1"}}}\n'
        )
        self.assertEqual(self.call(COMMAND, "-c", self.write(text), "--probe"), 1)
        self.assertEqual(
            self.errors.getvalue(),
            "listener meter, route mux, backend 127.0.0.1:1: connection refused\n",
        )

    def test_units(self) -> None:
        """And where single units of it are."""
        text = (
            'listeners: {meter: {bind: "*:1", mux: {to: "127.0.0.1:1", protocol: '
            '{modbus: {units: {2: {to: "127.0.0.1:2"}, 3: {to: "127.0.0.1:2"}}}}}}}\n'
        )
        self.assertEqual(self.call(COMMAND, "-c", self.write(text), "--probe"), 1)
        self.assertEqual(
            self.errors.getvalue(),
            "listener meter, route mux, backend 127.0.0.1:1: connection refused\n"
            "listener meter, route mux, backend 127.0.0.1:2: connection refused\n",
        )

    def test_no_answer(self) -> None:
        """Status 1; the file is in order."""
        self.assertEqual(self.probe("127.0.0.1:1"), 1)
        self.assertEqual(
            self.errors.getvalue(),
            "listener front, route ssh, backend 127.0.0.1:1: connection refused\n",
        )
        self.assertIn("in order", self.out.getvalue())

    def test_faults_come_first(self) -> None:
        """What cannot be read has no backends."""
        self.assertEqual(self.probe("127.0.0.1"), 2)
        self.assertEqual(self.out.getvalue(), "")
