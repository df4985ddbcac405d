"""Backends that are not there, or leave: what a client sees, and what the log tells."""

from __future__ import annotations

from tests.peers.servers import Site, nginx
from tests.peers.stage import BULK, PeersCase, Ran

CONFIG = """
listeners:
  front:
    bind: "127.0.0.1:0"
    routes:
      - name: dead
        match: {http: {host: dead.test}}
        forward: ["127.0.0.1:${DEAD}", "unix:nowhere"]
      - name: second
        match: {http: {host: second.test}}
        forward: ["127.0.0.1:${DEAD}", "127.0.0.1:${WEB}"]
      - name: once
        match: {http: {host: once.test}}
        forward:
          to: ["127.0.0.1:${DEAD}", "127.0.0.1:${WEB}"]
          connect: {attempts: 1}
      - {name: missing, match: {http: {host: missing.test}}, exec: [./no-such-program]}
      - {name: reset, match: {http: {host: reset.test}}, close: {reset: true}}
"""


class FailureTests(PeersCase):
    """The client is told by the end of the connection, the operator by the record."""

    def setUp(self) -> None:
        super().setUp()
        self.dead, web = self.reserve(), self.reserve()
        site = Site("web.test", web)
        self.server = nginx(self, site)
        self.web = f"127.0.0.1:{web}"
        self.running = self.front(CONFIG, DEAD=self.dead, WEB=web)

    def words(self, host: str, path: str) -> tuple[str, ...]:
        url = f"http://127.0.0.1:{self.running.port()}{path}"
        return "curl", "-q", "-sS", "--noproxy", "*", "-H", f"Host: {host}.test", url

    def curl(self, host: str) -> Ran:
        return self.ask(*self.words(host, "/name"))

    def test_no_backend(self) -> None:
        """An empty reply; each attempt and its reason in the record."""
        ran = self.curl("dead")
        self.assertEqual((ran.status, ran.out), (52, b""))
        self.assertIn("Empty reply from server", ran.err)
        record = self.record(self.running)
        self.assertEqual((record["route"], record["end"]), ("dead", "connect-failed"))
        self.assertEqual(
            record["detail"],
            f"127.0.0.1:{self.dead}: connection refused;"
            " unix:nowhere: no such file or directory",
        )
        self.assertEqual(record["attempts"], "2")

    def test_the_second_backend(self) -> None:
        """The client does not notice that the first one is dead."""
        self.assertEqual(self.curl("second").checked(), b"web.test by HTTP/1.1\n")
        record = self.record(self.running)
        self.assertEqual((record["backend"], record["attempts"]), (self.web, "2"))

    def test_no_second_attempt(self) -> None:
        """Where one attempt is allowed, one is made."""
        self.assertEqual(self.curl("once").status, 52)
        self.assertEqual(self.record(self.running)["attempts"], "1")

    def test_a_backend_that_comes_back(self) -> None:
        """Nothing is remembered of an attempt that failed."""
        self.assertEqual(self.curl("once").status, 52)
        nginx(self, Site("late.test", self.dead))
        self.assertEqual(self.curl("once").checked(), b"late.test by HTTP/1.1\n")

    def test_a_backend_that_is_killed(self) -> None:
        """In the middle of an answer: curl knows that the rest is missing."""
        (self.folder / "web.test/bulk").write_bytes(BULK)
        talk = self.talk(*self.words("second", "/slow/bulk"))
        talk.hear(BULK[:1000])
        self.server.kill()
        talk.rest()
        self.assertEqual(talk.status(), 18)  # transferred a partial file
        self.assertEqual(self.record(self.running)["backend"], self.web)

    def test_a_client_that_is_killed(self) -> None:
        """In the middle of an answer: portmux lets the backend go too."""
        (self.folder / "web.test/bulk").write_bytes(BULK)
        talk = self.talk(*self.words("second", "/slow/bulk"))
        talk.hear(BULK[:1000])
        talk.stop()
        record = self.record(self.running)
        self.assertEqual(record["backend"], self.web)
        self.assertLess(int(record["received"]), len(BULK))

    def test_no_program(self) -> None:
        """The log names the program and the reason."""
        self.assertEqual(self.curl("missing").status, 52)
        record = self.record(self.running)
        reason = "No such file or directory: ./no-such-program"
        self.assertEqual((record["end"], record["detail"]), ("exec-failed", reason))
        line = f"front: missing: cannot run ./no-such-program: {reason}"
        self.assertIn(line, self.running.text())

    def test_a_reset_on_purpose(self) -> None:
        """It is not an empty reply."""
        ran = self.curl("reset")
        self.assertEqual(ran.status, 56)
        self.assertIn("Connection reset by peer", ran.err)
