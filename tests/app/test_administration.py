"""Test portmux.app.administration: commands to the whole program."""

from __future__ import annotations

import json
import os
import socket
from contextlib import closing
from typing import Any

from portmux.app.administration import CERTIFICATE, IO
from portmux.app.tunnels import NEVER
from portmux.control import turns
from tests.app.test_service import Refused, ServiceCase

# The relay in C has a thread of its own, for which nothing here waits.
ECHO = 'engine: twisted\nlisteners: {front: {bind: "unix:front", echo: }}\n'
PORTS = "tunnels: [%s]\nstart: any\n"


class AdministrationCase(ServiceCase):
    def setUp(self) -> None:
        super().setUp()
        # No command is made to wait because those before it took long.
        self.patch(turns, "_spent", lambda: self.reactor.seconds)

    def ask(self, line: str) -> str:
        """@return: the reply of the control socket."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(os.path.join(self.runtime, "control"))
            client.setblocking(False)
            client.send(f"{line}\n".encode())
            self.reactor.settle()
            try:
                reply = client.recv(1 << 20).decode()
            except BlockingIOError:
                reply = ""
        self.reactor.settle()
        return reply

    def call(self, method: str, *params: Any) -> Any:
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return json.loads(self.ask(json.dumps(asked)))["result"]

    def port(self) -> int:
        """@return: one that is free now."""
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            return int(free.getsockname()[1])

    def tcp(self, port: int) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", port))
        client.setblocking(False)
        self._clients.append(client)
        self.reactor.settle()
        return client


class TunnelTests(AdministrationCase):
    def setUp(self) -> None:
        super().setUp()
        self.remote = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.remote.close)
        self.to = self.remote.getsockname()[1]

    def test_open_and_close(self) -> None:
        """It serves at once; closed, it ends its connections and forgets."""
        self.started(ECHO)
        port = self.port()
        self.assertEqual(self.ask(f"open {port}={self.to}"), "OK\n")
        client = self.tcp(port)
        served, _ = self.remote.accept()
        self._clients.append(served)
        self.talk(client, b"hello")
        self.assertEqual(served.recv(9), b"hello")
        self.assertIn("open conns 1, total conns 1", self.ask("status full"))
        other = self.connect(first=b"x")
        self.assertEqual(self.ask(f"close {port}"), "OK\n")
        self.assertIsNone(self.talk(client))
        self.assertEqual(self.talk(other), b"x", "others go on")
        self.assertRaises(ConnectionRefusedError, self.tcp, port)
        self.assertEqual(self.ask("status"), "OK: No tunnels\n")
        self.assertEqual(self.ask(f"open {port}={self.to}"), "OK\n")
        self.assertIn("total conns 0", self.ask("status full"))

    def test_taken(self) -> None:
        """A port of somebody else's is refused as plexy does, and nothing changes."""
        self.started(ECHO)
        reply = self.ask(f"open {self.to}=1")
        self.assertEqual(
            reply, "SORRY: IO error: Address already in use (os error 98)\n"
        )
        self.assertEqual(self.ask("status"), "OK: No tunnels\n")
        self.assertEqual(self.ask("diff"), "OK: nothing was changed\n")
        asked = '{"jsonrpc":"2.0","id":1,"method":"openTunnel","params":["%d",["1"]]}'
        self.assertEqual(json.loads(self.ask(asked % self.to))["error"]["code"], IO)

    def test_part_unknown(self) -> None:
        """Nothing is changed for it."""
        self.started(ECHO)
        said = self.ask("log debug nett")
        self.assertIn('SORRY: "nett" is no part of portmux', said)
        self.assertIn('did you mean "net"?', said)
        self.assertEqual(self.ask("diff"), "OK: nothing was changed\n")

    def test_one_is_missing(self) -> None:
        """What could not be opened at the start stands in the way of nothing else."""
        missing, port = f"{self.to}=1", self.port()
        self.started(PORTS % f'"{missing}", "0=1"')
        self.assertEqual(self.ask(f"open {port}={self.to}"), "OK\n")
        self.assertEqual(self.ask(f"add {port} 1"), "OK\n")
        self.assertIn("Address already in use", self.ask(f"open {missing}"))
        self.assertEqual(self.ask("status"), "OK: Tunnels: 2\n")
        told = [one for one in self.heard.texts if f":{self.to}: address" in one]
        self.assertEqual(len(told), 1, "told once, at the start")
        self.remote.close()
        self.assertEqual(self.ask(f"open {missing}"), "OK\n")
        self.assertEqual(self.ask("status"), "OK: Tunnels: 3\n")

    def test_never_open(self) -> None:
        """A tunnel that could not be opened has no numbers."""
        service = self.started(PORTS % f'"{self.to}=1", "0=1"')
        self.assertEqual(list(service.metrics.listeners), ["127.0.0.1:0"])
        with socket.create_server(("127.0.0.1", 0)) as other:
            self.assertIn("SORRY", self.ask(f"open {other.getsockname()[1]}=1"))
        self.assertEqual(list(service.metrics.listeners), ["127.0.0.1:0"])

    def test_certificates(self) -> None:
        """That none can be read has a code of its own."""
        self.started(ECHO + "tunnels: {ca-bundle: gone.pem}\n")
        inner = '{"errors_till_dead":1,"connect_timeout":1,"dead_retry":1,"tls":true}'
        params = f'["{self.port()}", ["1"], {{"options": {inner}}}]'
        asked = f'{{"jsonrpc":"2.0","id":1,"method":"openTunnel","params":{params}}}'
        error = json.loads(self.ask(asked))["error"]
        self.assertEqual(error["code"], CERTIFICATE)
        told = (
            r"Certificate error: tls\.ca-bundle: .*gone\.pem: no such file or directory"
        )
        self.assertRegex(error["message"], f"^{told}$")
        self.assertEqual(self.ask("status"), "OK: No tunnels\n")

    def test_remotes(self) -> None:
        """A remote that is removed keeps its session; counts come out even."""
        self.started(ECHO)
        port = self.port()
        self.ask(f"open {port}={self.to}")
        client = self.tcp(port)
        served, _ = self.remote.accept()
        self._clients.append(served)
        self.assertEqual(self.ask(f"remove {port} {self.to}"), "OK\n")
        self.assertIn("Remotes: 0, Dead Remotes: 0", self.ask(f"detail {port}"))
        self.talk(client, b"still")
        self.assertEqual(served.recv(9), b"still")
        self.assertEqual(self.ask(f"add {port} {self.to}"), "OK\n")
        client.close()
        self.reactor.settle()
        served.close()
        self.reactor.settle()
        self.assertIn("open conns 0", self.ask("status full"))
        self.assertIn("open conns 0", self.ask(f"detail {port}"))

    def test_options(self) -> None:
        """They are told as they were given, though some behave like others."""
        self.started(ECHO + "tunnels: {retries: 7, errors: 0}\n")
        port = self.port()
        self.ask(f"open {port}=1[timeout=0]")
        told = "strategy=random,retries=7,timeout=0, errors=0"
        self.assertIn(f"Options: {told}", self.ask(f"detail {port}"))
        inner = self.call("tunnelInfo", str(port))["options"]["options"]
        self.assertEqual((inner["errors_till_dead"], inner["connect_timeout"]), (0, 0))

    def test_anew(self) -> None:
        """What is removed, or closed, and comes again is treated like any other."""
        self.started(ECHO)
        port = self.port()
        self.ask(f"open {port}={self.to},1")
        pool = f"127.0.0.1:{port}"
        self.ask(f"disable {pool} 127.0.0.1:1")
        self.ask(f"remove {port} 1")
        self.ask(f"add {port} 1")
        self.assertIn("Remotes: 2, Dead Remotes: 0", self.ask(f"detail {port}"))
        self.ask(f"disable {pool} 127.0.0.1:1")
        self.ask(f"close {port}")
        self.ask(f"open {port}={self.to},1")
        self.assertIn("Remotes: 2, Dead Remotes: 0", self.ask(f"detail {port}"))

    def test_no_remotes(self) -> None:
        """Clients are closed until there is one."""
        self.started(ECHO)
        port = self.port()
        self.call("openTunnel", str(port), [])
        self.assertIsNone(self.talk(self.tcp(port)))
        self.call("addRemote", str(port), str(self.to))
        self.assertEqual(self.talk(self.tcp(port)), b"")

    def test_forwarding_listener(self) -> None:
        """A listener like a tunnel is one."""
        port = self.port()
        self.started(
            f'listeners: {{a: {{bind: "127.0.0.1:{port}", forward: "127.0.0.1:1"}}}}\n'
        )
        self.assertEqual(self.call("listTunnels"), [f"127.0.0.1:{port}"])
        self.assertIn(f"errors={NEVER}", self.ask(f"detail {port}"), "no ejection")
        self.assertEqual(self.ask(f"add {port} 2"), "OK\n")
        self.assertIn("Remotes: 2", self.ask(f"detail {port}"))
        self.assertEqual(self.ask(f"close {port}"), "OK\n")
        self.assertEqual(self.ask("status"), "OK: No tunnels\n")

    def test_pool_with_a_name(self) -> None:
        """Its backends are changed for all who share it, and kept as changed."""
        port = self.port()
        text = (
            f'listeners: {{a: {{bind: "127.0.0.1:{port}", forward: {{pool: p}}}},'
            f' b: {{bind: "unix:front", forward: {{pool: p}}}}}}\n'
            f'pools: {{p: {{backends: [{{address: "127.0.0.1:1", weight: 3}}]}}}}\n'
        )
        self.started(text)
        self.assertEqual(self.ask(f"add {port} {self.to}"), "OK\n")
        self.assertEqual(self.backends(), {"127.0.0.1:1": 3, self.remote_name: 1})
        self.assertEqual(self.talk(self.connect(first=b"x")), b"")
        self.assertEqual(self.ask(f"remove {port} 1"), "OK\n")
        self.assertEqual(self.backends(), {self.remote_name: 1})
        said = self.ask(f"remove {port} {self.to}")
        self.assertEqual(
            said, "SORRY: The last backend of p has to stay, or be disabled\n"
        )
        self.assertIn("  p:\n\t", self.ask("diff"))
        self.reload(text + "log: {level: warn}\n")
        self.assertEqual(self.backends(), {self.remote_name: 1})
        self.ask("forget")
        self.assertEqual(self.backends(), {"127.0.0.1:1": 3})

    @property
    def remote_name(self) -> str:
        return f"127.0.0.1:{self.to}"

    def backends(self) -> dict[str, int]:
        """@return: the weights of all there are."""
        return {row["backend"]: row["weight"] for row in self.call("backends")}

    def test_last_backend(self) -> None:
        """A listener that forwards has one; a tunnel need not."""
        port = self.port()
        self.started(
            f'listeners: {{a: {{bind: "127.0.0.1:{port}", forward: "127.0.0.1:1"}}}}\n'
        )
        said = self.ask(f"remove {port} 1")
        self.assertTrue(said.startswith("SORRY: The last backend of a/forward"), said)


class ChangeTests(AdministrationCase):
    def test_kill(self) -> None:
        self.started(ECHO)
        client = self.connect(first=b"x")
        (row,) = self.call("sessions")
        self.assertEqual(self.ask(f"kill {row['session']}"), "OK: Killed: 1\n")
        self.talk(client)
        self.assertIsNone(self.talk(client))
        self.assertEqual(self.call("sessions"), [])
        self.assertIn("end=killed", "\n".join(self.heard.texts))

    def test_states_outlive_reloads(self) -> None:
        """What an operator wants of a backend holds, until it is undone."""
        text = 'listeners: {a: {bind: "unix:front", forward: ["unix:b", "unix:c"]}}\n'
        self.started(text)
        self.ask("disable a/forward unix:b")
        self.ask("weight a/forward unix:c 5")
        self.reload(text + "log: {level: warn}\n")
        self.reload(text.replace('"unix:c"', '"unix:c", "unix:d"'))
        rows = {row["backend"]: row for row in self.call("backends")}
        self.assertEqual(rows["unix:b"]["state"], "disabled")
        self.assertEqual(rows["unix:c"]["weight"], 5)
        self.assertEqual(rows["unix:d"]["state"], "up")
        self.assertEqual(self.ask("forget"), "OK\n")
        rows = {row["backend"]: row for row in self.call("backends")}
        self.assertEqual(rows["unix:b"]["state"], "up")
        self.assertEqual(rows["unix:c"]["weight"], 1)

    def test_limits(self) -> None:
        """They hold for new clients, and outlive a reload."""
        self.started(ECHO)
        self.ask("limits front connections=1")
        one, two = self.connect(first=b"x"), self.connect(first=b"x")
        self.assertEqual(self.talk(one), b"x")
        self.assertIsNone(self.talk(two))
        self.reload(ECHO + "log: {level: warn}\n")
        self.assertEqual(self.call("limits", "front")[0]["connections"], 1)

    def test_log(self) -> None:
        self.started(ECHO)
        self.ask("log error net")
        self.assertEqual(self.configured[-1].log.levels, {"net": "error"})

    def test_reload_and_check(self) -> None:
        self.started(ECHO)
        self.write("listeners: {}\nx: 1\n")
        self.assertIn("2 fault(s)", self.ask("check"))
        self.assertTrue(
            self.ask("reload").startswith("SORRY: Not reloaded: portmux.conf")
        )
        self.write(ECHO)
        self.assertEqual(self.ask("check"), "OK: in order\n")
        self.assertEqual(self.ask("reload"), "OK: reloaded\n")

    def test_save(self) -> None:
        """The configuration that would do the same."""
        self.started(ECHO)
        port = self.port()
        self.ask(f"open {port}=1")
        text = self.call("save")
        self.assertIn(f"127.0.0.1:{port}=127.0.0.1:1", text)
        self.assertIn("unix:front", text)

    def test_watch(self) -> None:
        """Records, and what becomes of backends."""
        self.started('listeners: {a: {bind: "unix:front", forward: "unix:b"}}\n')
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(os.path.join(self.runtime, "control"))
            client.setblocking(False)
            client.send(b"watch\n")
            self.reactor.settle()
            self.connect(first=b"x").close()
            self.ask("drain a/forward unix:b")
            told = client.recv(65536).decode()
        self.reactor.settle()
        self.assertIn("\tsession ", told)
        self.assertIn("end=connect-failed", told)
        self.assertIn("\tbackend pool=a/forward backend=unix:b before=up", told)
        self.assertIn("after=draining", told)

    def test_drain(self) -> None:
        """To the end somebody may look, and change nothing."""
        service = self.started(ECHO)
        client = self.connect(first=b"x")
        service.drain()
        self.assertIn("front", self.ask("sessions"))
        self.assertIn("about to end", self.ask(f"open {self.port()}=1"))
        client.close()
        self.reactor.settle()


class StartTests(AdministrationCase):
    def test_any(self) -> None:
        """One tunnel that cannot be had does not stop the others."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port, busy = self.port(), taken.getsockname()[1]
            self.started(PORTS % f'"{busy}=1", "{port}=1"')
        self.assertEqual(self.call("listTunnels"), [f"127.0.0.1:{port}"])
        self.assertIn("going on without", "\n".join(self.heard.texts))

    def test_nothing(self) -> None:
        """Nothing at all is too little, unless nothing was asked for."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            made = self.made(PORTS % f'"{taken.getsockname()[1]}=1"')
            self.assertRaises(Refused, made.privilegedStartService)

    def test_control_goes_on(self) -> None:
        """A reload that moves nothing of control leaves its clients alone."""
        text = ECHO + 'control: {line: "unix:line"}\n'
        self.started(text)
        client = self.connect("line")
        self.assertEqual(self.talk(client, b"status\n"), b"OK: No tunnels\n")
        self.reload(text + "log: {level: warn}\n")
        self.assertEqual(self.talk(client, b"status\n"), b"OK: No tunnels\n")

    def test_taken_socket(self) -> None:
        """The usual place may be another's: then it goes without."""
        path = os.path.join(self.runtime, "control")
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(path)
            other.listen()
            self.started(ECHO)
            self.assertEqual(self.talk(self.connect(), b"x"), b"x")
            self.assertIn("portmux ctl will not find it", "\n".join(self.heard.texts))


class StateTests(AdministrationCase):
    def test_kept(self) -> None:
        """The next start begins where this one was."""
        text = ECHO + "state: kept\n"
        self.started(text)
        port = self.port()
        self.ask(f"open {port}=1")
        self.ask("limits front connections=3")
        self.stop()
        self.started(text)
        self.assertEqual(self.call("listTunnels"), [f"127.0.0.1:{port}"])
        self.assertEqual(self.call("limits", "front")[0]["connections"], 3)
        self.ask("forget")
        self.stop()
        self.started(text)
        self.assertEqual(self.call("listTunnels"), [])

    def test_broken(self) -> None:
        """A file that nobody can read is not thrown away."""
        self.write(ECHO)
        (self.folder / "kept").write_text("closed: [\n")
        made = self.made(ECHO + "state: kept\n")
        error = self.assertRaises(Refused, made.privilegedStartService)
        self.assertIn("kept:", str(error))


class TokenTests(AdministrationCase):
    def test_missing(self) -> None:
        """Without the file it does not start, and says which."""
        made = self.made(ECHO + "control: {token-file: token}\n")
        error = self.assertRaises(Refused, made.privilegedStartService)
        self.assertIn("token-file token cannot be read", str(error))

    def test_reload(self) -> None:
        """A new token holds from then on."""
        (self.folder / "token").write_text("one\n")
        port = self.port()
        text = ECHO + f'control: {{line: "127.0.0.1:{port}", token-file: token}}\n'
        self.started(text)
        self.assertEqual(self.talk(self.tcp(port), b"auth one\n"), b"OK\n")
        (self.folder / "token").write_text("two\n")
        self.reload(text)
        said = self.talk(self.tcp(port), b"auth one\n")
        self.assertEqual(said, b"SORRY: This is not the token\n")
        self.assertEqual(self.talk(self.tcp(port), b"auth two\n"), b"OK\n")
