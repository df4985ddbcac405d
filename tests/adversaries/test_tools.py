"""Programs made for attacks: a scanner of services, and clients that are slow."""

from __future__ import annotations

from tests.adversaries.siege import SiegeCase


class ScannerTests(SiegeCase):
    """
    nmap sends what every service it knows would answer.

    It waits for a greeting first; a port that closes meanwhile, it leaves alone.
    """

    PATIENCE = "8s"

    def test_every_probe(self) -> None:
        """It sees that something is there, and gets no service to fail."""
        with self.besieged():
            said = self.attack(
                *("nmap", "-n", "-Pn", "-sT", "-sV", "--version-all"),
                *("--host-timeout", "120s", "-p", str(self.port), "127.0.0.1"),
            )
        self.assertIn(f"{self.port}/tcp", said)
        self.assertGreater(self.attacks(), 50)


class SlowTests(SiegeCase):
    """slowhttptest holds connections with as little as it can."""

    def slow(self, *mode: str) -> None:
        """A few hundred such connections, for a few seconds."""
        with self.besieged():
            said = self.attack(
                *("slowhttptest", *mode, "-c", "300", "-r", "150", "-l", "5"),
                *("-u", f"http://127.0.0.1:{self.port}/", "-v", "1"),
            )
        self.assertIn("Exit status", said)
        self.assertGreater(self.attacks(), 100)

    def test_slow_headers(self) -> None:
        self.slow("-H", "-i", "1")

    def test_slow_body(self) -> None:
        self.slow("-B", "-i", "1", "-s", "8192")

    def test_ranges(self) -> None:
        self.slow("-R")

    def test_slow_reading(self) -> None:
        self.slow("-X", "-n", "1", "-w", "10", "-y", "20", "-z", "5", "-k", "3")
