"""nc, telnet, curl and a WebSocket library talk with the control addresses."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from socket import create_server
from typing import Any

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.integration.processes import Foreground, environment
from tests.peers.stage import PeersCase

CONFIG = """\
control:
  line: "127.0.0.1:0"
  rpc: "127.0.0.1:0"
metrics: {prometheus: "127.0.0.1:0"}
"""

JSON = "Content-Type: application/json"


class ControlCase(PeersCase):
    running: Foreground

    def setUp(self) -> None:
        super().setUp()
        self.control = self.brief("control")
        env = environment(PORTMUX__CONTROL__SOCKET=str(self.control))
        self.running = self.portmux(CONFIG, env=env)

    def at(self, what: str) -> str:
        """@return: the port of an address of control's."""
        pattern = rf"{what} listens on 127\.0\.0\.1:(\d+)"
        return self.running.wait_for(pattern)[0]

    def free(self) -> int:
        with closing(create_server(("127.0.0.1", 0))) as free:
            return int(free.getsockname()[1])


class LineTests(ControlCase):
    def nc(self, said: bytes, *more: str) -> bytes:
        where = more or ("127.0.0.1", self.at(r"control\.line"))
        return self.ask("nc", "-N", *where, data=said).checked()

    def test_nc(self) -> None:
        """Commands and their replies; what nc ends, ends in order."""
        port = self.free()
        said = f"status\nopen {port}=1\nstatus full\nclose {port}\nfrob\n".encode()
        zero = "open conns 0, total conns 0, bytes sent 0, received 0, total errors 0"
        self.assertEqual(
            self.nc(said).decode(),
            "OK: No tunnels\nOK\nOK: Tunnels: 1\n"
            f"\t127.0.0.1:{port} = {zero}\nOK\n"
            "SORRY: Control protocol error: Invalid command: FROB\n",
        )

    def test_unfinished(self) -> None:
        """The last line has to have its end."""
        self.assertEqual(
            self.nc(b"status"), b"SORRY: IO error: bytes remaining on stream\n"
        )

    def test_unix_socket(self) -> None:
        self.assertEqual(self.control.stat().st_mode & 0o777, 0o600)
        heard = self.nc(b"status\n", "-U", str(self.control))
        self.assertEqual(heard, b"OK: No tunnels\n")

    def test_telnet(self) -> None:
        """Somebody types, and reads."""
        person = self.talk("telnet", "127.0.0.1", self.at(r"control\.line"))
        person.hear(b"Escape character")
        person.say(b"status\n")
        person.hear(b"OK: No tunnels")
        person.say(b"help close\n")
        person.hear(b"Close a tunnel, and end its connections.")
        person.say(b"exit\n")
        self.assertIn(b"Connection closed by foreign host", person.rest())

    def test_curl_is_refused(self) -> None:
        """What a browser could send does nothing here."""
        port = self.free()
        url = f"http://127.0.0.1:{self.at(r'control.line')}/"
        body = f"\nopen {port}=1\n"
        self.ask("curl", "--http0.9", "-s", "-d", body, url)
        self.assertEqual(self.nc(b"status\n"), b"OK: No tunnels\n")


class RpcTests(ControlCase):
    def url(self) -> str:
        return f"http://127.0.0.1:{self.at(r'control.rpc')}/"

    def curl(self, *words: str) -> bytes:
        return self.ask("curl", "-sS", *words).checked()

    def rpc(self, method: str, *params: Any) -> Any:
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return json.loads(self.curl("-H", JSON, "-d", json.dumps(asked), self.url()))

    def status(self, *words: str) -> str:
        found = self.curl("-o", "/dev/null", "-w", "%{http_code}", *words, self.url())
        return found.decode()

    def test_calls(self) -> None:
        port = self.free()
        found = self.rpc("openTunnel", str(port), ["1"], None)
        self.assertEqual(found["result"], None)
        self.assertEqual(self.rpc("numberOfTunnels")["result"], 1)
        self.assertEqual(self.rpc("tunnelInfo", "1")["error"]["code"], 1006)

    def test_long_body(self) -> None:
        """curl asks first whether it may be sent; it comes in pieces."""
        port = self.free()
        remotes = [f"10.0.{high}.{low}:1" for high in range(40) for low in range(100)]
        asked = {"jsonrpc": "2.0", "id": 1, "method": "openTunnel"}
        asked |= {"params": {"tunnelSocket": str(port), "remotes": remotes}}
        Path(self.folder, "body").write_text(json.dumps(asked))
        found = self.curl("-H", JSON, "--data-binary", "@body", self.url())
        self.assertEqual(json.loads(found)["result"], None)
        info = self.rpc("tunnelInfo", str(port))["result"]
        self.assertEqual(info["num_remotes"], 4000)

    def test_statuses(self) -> None:
        for words, status in [
            (("-d", "{}"), "415"),
            (("-H", JSON, "-d", "x"), "400"),
            (("-X", "PUT"), "405"),
            ((), "405"),
            (("-H", JSON, "-d", "{}", "-H", "Host: evil.example"), "403"),
            (("-H", JSON, "-d", "{}", "-H", "Origin: http://evil.example"), "403"),
        ]:
            self.assertEqual(self.status(*words), status, words)
        Path(self.folder, "large").write_bytes(b" " * (3 << 20))
        large = ("-H", JSON, "--data-binary", "@large")
        self.assertEqual(self.status(*large), "413")

    def test_metrics(self) -> None:
        """By plexy's names."""
        self.rpc("openTunnel", str(self.free()), ["1"], None)
        port = self.at(r"metrics\.prometheus")
        text = self.curl(f"http://127.0.0.1:{port}/metrics").decode()
        self.assertIn("\nnumber_of_tunnels 1.0\n", text)


class WebSocketTests(ControlCase):
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.at(r'control.rpc')}/"

    def test_calls_and_events(self) -> None:
        port = self.free()
        with connect(self.url()) as client:

            def call(method: str, *params: Any) -> Any:
                asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
                client.send(json.dumps(asked))
                return json.loads(client.recv(60))

            self.assertEqual(call("listTunnels")["result"], [])
            self.assertEqual(call("watch")["result"], None)
            client.send(
                json.dumps(
                    {
                        "jsonrpc": "2.0",
                        "method": "openTunnel",
                        "params": {"tunnelSocket": str(port), "remotes": ["1"]},
                    }
                )
            )
            event = json.loads(client.recv(60))
            while event["params"]["event"] != "opened":
                event = json.loads(client.recv(60))
            self.assertEqual(event["params"]["listener"], f"127.0.0.1:{port}")
            self.assertEqual(call("listTunnels")["result"], [f"127.0.0.1:{port}"])
            client.ping().wait(60)
            client.send(json.dumps("x" * 500_000))
            self.assertEqual(json.loads(client.recv(60))["error"]["code"], -32600)

    def test_other_sites(self) -> None:
        with self.assertRaises(InvalidStatus) as refused:
            connect(self.url(), origin=Origin("http://evil.example"))
        self.assertEqual(refused.exception.response.status_code, 403)
