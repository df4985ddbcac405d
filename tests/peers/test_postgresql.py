"""PostgreSQL's servers in a pool; psql asks them, in plain and over TLS."""

from __future__ import annotations

from tests.integration.processes import Foreground
from tests.peers.servers import database
from tests.peers.stage import PeersCase

CONFIG = """
listeners:
  front: {bind: "127.0.0.1:0", forward: {pool: databases}}
pools:
  databases:
    backends: ["127.0.0.1:${ONE}", "127.0.0.1:${TWO}"]
    strategy: first-available
    eject: {errors: 1}
"""

BIG = 3_000_000
"""Octets of an answer that takes many segments."""


class DatabaseTests(PeersCase):
    """Two servers; each query tells which of them has answered."""

    def setUp(self) -> None:
        super().setUp()
        self.one, self.two = self.reserve(), self.reserve()
        self.first = database(self, "one.test", self.one)
        database(self, "two.test", self.two)
        self.running: Foreground = self.front(CONFIG, ONE=self.one, TWO=self.two)

    def query(self, text: str, mode: str) -> str:
        """@return: what the database says. @raise AssertionError: it does not."""
        words = (
            "host=one.test hostaddr=127.0.0.1 user=tester dbname=postgres"
            f" port={self.running.port()} sslmode={mode} sslrootcert=one.test.pem"
        )
        asked = self.ask("psql", words, "--no-psqlrc", "-Atc", text)
        return asked.checked().decode().strip()

    def test_plain(self) -> None:
        """The first server answers, whole; when it is gone, the second one does."""
        self.assertEqual(self.query("show port", "disable"), str(self.one))
        much = self.query(f"select repeat('x', {BIG})", "disable")
        self.assertEqual(much, "x" * BIG)
        self.first.kill()
        self.assertEqual(self.query("show port", "disable"), str(self.two))
        last = self.running.records(3)[2]
        self.assertRegex(
            last, rf"backend=127\.0\.0\.1:{self.two} attempts=2 .*end=done"
        )

    def test_tls(self) -> None:
        """PostgreSQL speaks its own words before TLS: it all passes through."""
        encrypted = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
        self.assertEqual(self.query(encrypted, "verify-full"), "t")
        self.assertEqual(self.query(encrypted, "disable"), "f")
