"""Tests for L{portmux.control.access}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.control.access import refusal


def refused(host: str, origin: str | None = None, *hosts: str) -> bool:
    headers = {b"host": host.encode()}
    if origin is not None:
        headers[b"origin"] = origin.encode()
    return refusal(headers, hosts) is not None


class AccessTests(SynchronousTestCase):
    def test_names(self) -> None:
        """localhost, addresses, and what the configuration says."""
        for host in ("localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]:9", "10.0.0.1"):
            self.assertFalse(refused(host), host)
        for host in ("evil.example:9", "localhost.evil.example", "", "[::1", "1.2.3"):
            self.assertTrue(refused(host), host)
        self.assertFalse(refused("Box.example:9", None, "box.example"))
        self.assertTrue(refused("x.box.example", None, "box.example"))
        self.assertTrue(refusal({}, ()), "HTTP/1.0 without a name")

    def test_any(self) -> None:
        """By whatever name, but not from pages."""
        self.assertFalse(refused("evil.example", None, "*"))
        self.assertTrue(refused("evil.example:9", "http://evil.example:9", "*"))
        self.assertFalse(refused("localhost:9", "http://localhost:9", "*"))

    def test_origin(self) -> None:
        """Only a page of our own."""
        self.assertFalse(refused("localhost:9", "http://localhost:9"))
        self.assertFalse(refused("[::1]:9", "http://[::1]:9"))
        self.assertFalse(refused("a.example", "https://a.example", "a.example"))
        for origin in (
            "http://evil.example",
            "http://localhost:8",
            "http://localhost:9.evil.example",
            "null",
            "",
        ):
            self.assertTrue(refused("localhost:9", origin), origin)
