"""Few connections for many: curl, ab and wrk with nginx, and pyiso8583 both ways."""

from __future__ import annotations

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import iso8583
from iso8583.specs import default_ascii as SPEC

from tests.integration.processes import Foreground
from tests.peers.servers import Site, nginx
from tests.peers.stage import BULK, PeersCase
from tests.sockets import receive

WEB = """
listeners:
  front:
    bind: "127.0.0.1:0"
    mux:
      protocol: {http: {limit: 16MiB}}
      to: "127.0.0.1:${WEB}"
      connections: 2
      errors: protocol
"""

CARDS = """
listeners:
  front:
    bind: "127.0.0.1:0"
    mux: {protocol: iso8583, to: "127.0.0.1:${CARDS}"}
"""


class HttpTests(PeersCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = Site("web.test", self.reserve())
        self.nginx = nginx(self, self.site)
        self.running: Foreground = self.front(WEB, WEB=self.site.port)
        self.url = f"http://127.0.0.1:{self.running.port()}"

    def curl(self, *words: str, data: bytes = b"") -> bytes:
        command = ("curl", "-sS", "-q", "--noproxy", "*", *words)
        return self.ask(*command, data=data).checked()

    def test_requests_of_every_kind(self) -> None:
        """One client's connection for all of them: each answer has its end."""
        get, head = f"{self.url}/name", ("--head", f"{self.url}/name")
        self.assertEqual(self.curl(get, get), b"web.test by HTTP/1.1\n" * 2)
        heads = self.curl(*head, "--next", *head)
        self.assertEqual(heads.count(b"HTTP/1.1 200 OK"), 2)
        self.assertEqual(self.record(self.running, 1)["requests"], "2")
        missing = self.curl("-o", "/dev/null", "-w", "%{http_code}", f"{self.url}/no")
        self.assertEqual(missing, b"404")

    def test_content_of_every_kind(self) -> None:
        """With a length and without, asked for beforehand and not, there and back."""
        file = self.folder / "bulk"
        file.write_bytes(BULK)
        lengths = ((), ("-H", "Transfer-Encoding: chunked"))
        asking = (("-H", "Expect:"), ("-H", "Expect: 100-continue"))
        for number, words in enumerate((*lengths, *asking)):
            path = f"{self.url}/bulk{number}"
            self.curl(*words, "-T", str(file), path)
            self.assertEqual(self.curl(path), BULK)

    def test_many_clients(self) -> None:
        """With connections that are kept, and with one for each request."""
        for words in (("-k",), ()):
            command = ("ab", "-q", *words, "-n", "600", "-c", "20")
            told = self.ask(*command, f"{self.url}/name").checked().decode()
            self.assertRegex(told, r"Complete requests: +600\n")
            self.assertRegex(told, r"Failed requests: +0\n")
            self.assertNotIn("Non-2xx", told)
        told = (
            self.ask("wrk", "-t", "1", "-c", "20", "-d", "1s", f"{self.url}/name")
            .checked()
            .decode()
        )
        self.assertNotIn("Socket errors", told)
        self.assertNotIn("Non-2xx", told)
        found = re.search(r"(\d+) requests in", told)
        assert found is not None
        self.assertGreater(int(found[1]), 20)

    def test_the_server_goes_and_comes(self) -> None:
        """Clients are told, and served once it is there again."""
        self.nginx.kill()
        code = ("-o", "/dev/null", "-w", "%{http_code}", f"{self.url}/name")
        self.assertEqual(self.curl(*code), b"502")
        nginx(self, self.site)
        self.assertEqual(self.curl(*code), b"200")


def message(kind: str, number: int, client: int) -> bytes:
    """@return: with its length in front; what is in it tells whose it is."""
    fields = {
        "t": kind,
        "2": f"4{client:015d}",
        "3": "000000",
        "4": f"{number:012d}",
        "11": f"{number:06d}",
    }
    if kind == "0210":
        fields["39"] = "00"
    raw, _ = iso8583.encode(fields, SPEC)
    return len(raw).to_bytes(2, "big") + bytes(raw)


def read(sock: socket.socket) -> dict[str, str] | None:
    """@return: the next message; None at the end of the stream."""
    head = receive(sock, 2)
    if len(head) < 2:
        return None
    decoded, _ = iso8583.decode(receive(sock, int.from_bytes(head, "big")), SPEC)
    return dict(decoded)


class CardTests(PeersCase):
    """Requests for authorization, and their answers."""

    def setUp(self) -> None:
        super().setUp()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listening.close)
        self.connections = 0
        Thread(target=self.authorize, daemon=True).start()
        port = self.listening.getsockname()[1]
        self.running = self.front(CARDS, CARDS=port)

    def authorize(self) -> None:
        """One connection after another; every answer in pieces."""
        while True:
            try:
                sock, _ = self.listening.accept()
            except OSError:
                return
            self.connections += 1
            with sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
                while (asked := read(sock)) is not None:
                    answer = message("0210", int(asked["11"]), int(asked["2"][1:]))
                    for place in range(0, len(answer), 7):
                        sock.sendall(answer[place : place + 7])

    def test_every_terminal_has_its_own_answers(self) -> None:
        def pay(client: int) -> list[tuple[str, ...]]:
            with socket.create_connection(("127.0.0.1", self.running.port())) as sock:
                answers: list[tuple[str, ...]] = []
                for number in range(20):
                    sock.sendall(message("0200", number, client))
                    told = read(sock)
                    assert told is not None
                    answers.append((told["t"], told["2"], told["11"], told["39"]))
                return answers

        with ThreadPoolExecutor(10) as pool:
            for client, answers in enumerate(pool.map(pay, range(10))):
                mine = f"4{client:015d}"
                expected = [("0210", mine, f"{n:06d}", "00") for n in range(20)]
                self.assertEqual(answers, expected)
        self.assertEqual(self.connections, 1)
