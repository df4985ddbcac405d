"""HTTP on few connections: curl, nginx, and portmux between them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.peers.servers import Site, nginx
from tests.peers.stage import BULK, PeersCase, Ran

CONFIG = """
listeners:
  front:
    bind: "127.0.0.1:0"
    mux:
      protocol: {http: {limit: 9MiB, answer-limit: 9MiB}}
      to: "127.0.0.1:${NGINX}"
      connections: ${CONNECTIONS}
      errors: protocol
"""

WHICH = """
location = /which { return 200 "$connection\\n"; }
location = /empty { return 204; }
if_modified_since before;
"""


class MuxHttpTests(PeersCase):
    """What curl gets is what nginx says, as if it were alone with it."""

    def setUp(self) -> None:
        super().setUp()
        self.port = self.reserve()
        self.nginx = nginx(self, Site("site", self.port, more=WHICH))
        (self.folder / "site" / "small").write_bytes(b"small\n")
        (self.folder / "site" / "bulk").write_bytes(BULK)

    def shared(self, connections: int = 1) -> None:
        self.running = self.front(CONFIG, NGINX=self.port, CONNECTIONS=connections)
        self.url = f"http://127.0.0.1:{self.running.port()}"

    def curl(self, *words: str) -> Ran:
        return self.ask("curl", "--no-progress-meter", *words)

    def test_one_connection(self) -> None:
        """Many clients at once have the same one, and each its own answer."""
        self.shared()

        def client(number: int) -> tuple[bytes, bytes]:
            which = self.curl(f"{self.url}/which").checked()
            return which, self.curl(f"{self.url}/{number}", "-w", "%{http_code}").out

        with ThreadPoolExecutor(5) as pool:
            told = list(pool.map(client, range(10)))
        self.assertEqual(len({which for which, _ in told}), 1, told)
        self.assertTrue(all(page.endswith(b"404") for _, page in told), told)

    def test_one_after_the_other(self) -> None:
        """Answers without a body end where they should: the next one is whole."""
        self.shared()
        small, url = f"{self.url}/small", self.url
        words = ("-I", small, "--next", small, "--next", f"{url}/empty", "--next")
        told = self.curl(*words, f"{url}/bulk", "-w", "%{num_connects}").checked()
        head, _, rest = told.partition(b"\r\n\r\n")
        self.assertIn(b"HTTP/1.1 200 OK", head)
        self.assertIn(b"Content-Length: 6", head)
        self.assertTrue(rest == b"small\n" + BULK + b"0")

    def test_not_modified(self) -> None:
        """A length without a body, in an answer to GET."""
        self.shared()
        tag = ("-H", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT")
        words = (*tag, f"{self.url}/small", "-w", "%{http_code} ", "--next")
        told = self.curl(*words, f"{self.url}/small").checked()
        self.assertEqual(told, b"304 small\n")

    def test_uploads(self) -> None:
        """With leave asked for, and in chunks."""
        self.shared(2)
        (self.folder / "given").write_bytes(BULK)
        for name, field in (("asked", "Expect: 100-continue"), ("chunks", "Expect:")):
            fields = ["-H", field]
            if name == "chunks":
                fields += ["-H", "Transfer-Encoding: chunked"]
            words = (*fields, "-T", "given", f"{self.url}/{name}")
            told = self.curl(*words, "-w", "%{http_code}").checked()
            self.assertEqual(told, b"201", name)
            kept = (self.folder / "site" / name).read_bytes()
            self.assertTrue(kept == BULK, name)

    def test_old_version(self) -> None:
        """It ends when the connection does."""
        self.shared()
        words = ("--http1.0", f"{self.url}/small")
        self.assertEqual(self.curl(*words).checked(), b"small\n")
        self.assertEqual(self.curl(*words).checked(), b"small\n")

    def test_upgrade(self) -> None:
        """Another protocol cannot be shared; the client is closed, and told why."""
        self.shared()
        self.assertEqual(self.curl("--http2", f"{self.url}/small").status, 52)
        record = self.record(self.running)
        self.assertEqual(record["end"], "malformed")
        self.assertIn("a request to upgrade", record["detail"])

    def test_server_away(self) -> None:
        """Clients are told so in HTTP."""
        self.shared()
        self.curl(f"{self.url}/small").checked()
        self.nginx.kill()
        away = self.curl(f"{self.url}/small", "-w", "%{http_code}").checked()
        self.assertEqual(away, b"502 Bad Gateway\n502")
