"""Tests for L{portmux.core.address}."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Address, BindAddress, Host, Inherited, Unix


class AddressTests(SynchronousTestCase):
    """Addresses are values, written as in a configuration."""

    def test_ipv4_and_names(self) -> None:
        """A host without a colon stands as it is."""
        self.assertEqual(str(Host("192.0.2.1", 80)), "192.0.2.1:80")
        self.assertEqual(str(Host("git.example.org", 22)), "git.example.org:22")
        self.assertEqual(str(Host("*", 0)), "*:0")

    def test_ipv6_stands_in_brackets(self) -> None:
        """The port can be told from the address, also behind a scope."""
        self.assertEqual(str(Host("2001:db8::1", 443)), "[2001:db8::1]:443")
        self.assertEqual(str(Host("fe80::1%eth0", 22)), "[fe80::1%eth0]:22")

    def test_sockets_of_other_kinds_say_so(self) -> None:
        self.assertEqual(str(Unix("/run/app.sock")), "unix:/run/app.sock")
        self.assertEqual(str(Unix("")), "unix:")
        self.assertEqual(str(Inherited("https")), "systemd:https")

    @given(st.text(), st.integers(0, 65535))
    def test_equal_addresses_count_as_one(self, host: str, port: int) -> None:
        """They can be keys, of a table of what is bound for instance."""
        self.assertEqual(len({Host(host, port), Host(host, port)}), 1)
        self.assertNotEqual(Host(host, port), Host(host, port + 1))
        self.assertNotEqual(Unix(host), Inherited(host))

    def test_only_a_listener_takes_inherited_sockets(self) -> None:
        """Nothing connects to, or comes from, a systemd name."""
        self.assertEqual(set(get_args(Address)), {Host, Unix})
        self.assertEqual(set(get_args(BindAddress)), {Host, Unix, Inherited})
