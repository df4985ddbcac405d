"""Tests of how socket addresses are written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config import sockets
from portmux.core.address import Host, Inherited, Unix


class AddressTests(SynchronousTestCase):
    def test_read(self) -> None:
        for text, value in [
            ("127.0.0.1:22", Host("127.0.0.1", 22)),
            ("[::1]:22", Host("::1", 22)),
            ("[2001:DB8:0::1]:22", Host("2001:db8::1", 22)),
            ("[fe80::1%eth0]:22", Host("fe80::1%eth0", 22)),
            ("git.example.org:443", Host("git.example.org", 443)),
            ("web_1:80", Host("web_1", 80)),
            ("localhost:65535", Host("localhost", 65535)),
            ("unix:/run/x", Unix("/run/x")),
            ("unix:x:y", Unix("x:y")),
        ]:
            self.assertEqual(sockets.address(text), value, text)

    def test_refused(self) -> None:
        """Each says what is wrong with it."""
        for text, said in [
            ("127.0.0.1", "no port"),
            ("/run/x", 'did you mean "unix:/run/x"?'),
            (":22", "no host"),
            ("22", 'did you mean "127.0.0.1:22"?'),
            (":22", 'did you mean "127.0.0.1:22"?'),
            ("a:0", "1 to 65535 is"),
            ("a:65536", "65535"),
            ("a:9999999999", "65535"),
            ("a:x", "not a port"),
            ("a:\u0662", "not a port"),
            ("::1:22", 'did you mean "[::1]:22"?'),
            ("[::1:22", 'did you mean "[::1]:22"?'),
            ("::1", "no port"),
            ("2001:db8:1:2:3:4:5:6", "no port"),
            ("a:b:22", '"a:b:22" is not HOST:PORT'),
            ("[1.2.3.4]:22", "not an IPv6 address"),
            ("[::g]:22", "not an IPv6 address"),
            ("1.2.3:22", "not a host"),
            ("300.1.1.1:22", "not a host"),
            ("a b:22", "not a host"),
            ("-a:22", "not a host"),
            (f"{'a' * 64}:22", "not a host"),
            ("*:22", "only be listened on"),
            ("unix:", "names no file"),
            ("unix:a\0b", "names no file"),
            ("unix:/" + "x" * 107, "too long"),
            ("unix:a\ud800", "not UTF-8"),
            ("systemd:web", "not a port"),
        ]:
            error = self.assertRaises(ValueError, sockets.address, text)
            self.assertIn(said, str(error), text)

    def test_one_kind_only(self) -> None:
        self.assertEqual(sockets.host("a:1"), Host("a", 1))
        self.assertEqual(sockets.unix("unix:a"), Unix("a"))
        self.assertRaises(ValueError, sockets.host, "unix:1")
        self.assertRaises(ValueError, sockets.unix, "a:1")


class BindTests(SynchronousTestCase):
    def test_read(self) -> None:
        for text, value in [
            ("*:443", Host("*", 443)),
            ("0.0.0.0:0", Host("0.0.0.0", 0)),
            ("[::]:443", Host("::", 443)),
            ("unix:/run/x", Unix("/run/x")),
            ("systemd:web", Inherited("web")),
        ]:
            self.assertEqual(sockets.bind_address(text), value, text)

    def test_refused(self) -> None:
        for text, said in [
            ("localhost:22", "did you mean 127.0.0.1?"),
            ("example.org:22", "is a name"),
            ("systemd:", "names no socket"),
            ("systemd:a:b", "names no socket"),
            (":443", 'did you mean "*:443"?'),
            ("443", 'did you mean "*:443"?'),
            ("*:65536", "0 to 65535 is"),
            (":", "no host"),
            ("", "no port"),
        ]:
            error = self.assertRaises(ValueError, sockets.bind_address, text)
            self.assertIn(said, str(error), text)
        error = self.assertRaises(ValueError, sockets.bind_host, "unix:x")
        self.assertNotIn("unix:PATH", str(error))
        self.assertIn(
            "unix:PATH", str(self.assertRaises(ValueError, sockets.bind_address, "x"))
        )


class NoiseTests(SynchronousTestCase):
    @given(st.text(st.sampled_from("unixsytemd:[]*.%1a\0é-")) | st.text())
    def test_only_value_errors_and_round_trips(self, text: str) -> None:
        """What is read is shown as text that is read as the same."""
        for read in (sockets.address, sockets.bind_address):
            try:
                value = read(text)
            except ValueError:
                continue
            self.assertEqual(read(str(value)), value)
