"""What portmux answers by itself, as curl and openssl understand it."""

from __future__ import annotations

from tests.peers.stage import BULK, PeersCase, Ran

CONFIG = """
listeners:
  front:
    bind: "127.0.0.1:0"
    routes:
      - name: moved
        match: {http: {path: /old}}
        respond: {status: 301, headers: {Location: /new, Connection: close}}
      - name: file
        match: {http: {path: /new}}
        respond: {file: "${FOLDER}/page.html", headers: {Cache-Control: no-store}}
      - name: busy
        match: http
        respond: {status: 503, headers: {Retry-After: "120"}, body: "back soon\\n"}
      - name: alert
        match: tls
        respond: {bytes: {hex: "15030300020270"}}
"""


class RespondTests(PeersCase):
    """The answers of C{respond}."""

    def setUp(self) -> None:
        super().setUp()
        text = CONFIG.replace("${FOLDER}", str(self.folder))
        self.running = self.front(text)
        self.page = self.folder / "page.html"
        self.page.write_text("<p>one\n")

    def curl(self, *words: str) -> Ran:
        return self.ask("curl", "-q", "-sS", "--noproxy", "*", *words)

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.running.port()}{path}"

    def test_an_answer(self) -> None:
        """Status, headers and body; those that HTTP needs are there by themselves."""
        head, body = self.curl("-i", self.url("/")).checked().split(b"\r\n\r\n")
        self.assertEqual(body, b"back soon\n")
        for line in (
            b"HTTP/1.1 503 Service Unavailable",
            b"Retry-After: 120",
            b"Content-Type: text/plain; charset=utf-8",
            b"Content-Length: 10",
        ):
            self.assertIn(line, head.split(b"\r\n"))

    def test_only_the_head(self) -> None:
        """HEAD gets the headers; curl would wait for a body, if it was promised one."""
        said = self.curl("-I", self.url("/")).checked()
        self.assertIn(b"Content-Length: 10\r\n", said)
        self.assertTrue(said.endswith(b"\r\n\r\n"))

    def test_what_comes_with_a_request(self) -> None:
        """8 MiB are read and dropped; the answer comes whole."""
        (self.folder / "bulk").write_bytes(BULK)
        words = ("-X", "POST", "--data-binary", "@bulk", "-H", "Expect:")
        self.assertEqual(self.curl(*words, self.url("/")).checked(), b"back soon\n")
        put = self.curl("-T", "bulk", self.url("/"))  # asks first, by Expect
        self.assertEqual(put.checked(), b"back soon\n")

    def test_a_kept_connection(self) -> None:
        """Several requests of one connection, each with its answer."""
        self.assertEqual(self.curl(*[self.url("/")] * 5).checked(), b"back soon\n" * 5)
        self.assertEqual(self.record(self.running)["route"], "busy")
        self.assertEqual(len(self.running.records(1)), 1)

    def test_a_redirection(self) -> None:
        """It ends the connection, so that the next request is routed anew."""
        self.assertEqual(self.curl("-L", self.url("/old")).checked(), b"<p>one\n")
        routes = [self.record(self.running, n)["route"] for n in (1, 2)]
        self.assertEqual(routes, ["moved", "file"])

    def test_a_file(self) -> None:
        """It is read for each request: changed, large, gone and back again."""
        said = self.curl("-i", self.url("/new")).checked()
        self.assertIn(b"\r\nContent-Type: text/html\r\n", said)
        self.assertIn(b"\r\nCache-Control: no-store\r\n", said)
        self.page.write_bytes(BULK)
        self.assertEqual(self.curl(self.url("/new")).checked(), BULK)
        self.page.unlink()
        said = self.curl("-i", self.url("/new")).checked()
        self.assertTrue(said.startswith(b"HTTP/1.1 404 Not Found\r\n"), said)
        self.running.wait_for("page.html cannot be sent: no such file")
        self.page.write_text("<p>two\n")
        self.assertEqual(self.curl(self.url("/new")).checked(), b"<p>two\n")

    def test_bytes(self) -> None:
        """A TLS alert is one for TLS clients; their hello is read and dropped."""
        ran = self.curl(self.url("/", "https"))
        self.assertEqual(ran.status, 35)
        self.assertIn("unrecognized name", ran.err)
