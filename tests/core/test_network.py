"""Tests for L{portmux.core.network}."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host, Unix
from portmux.core.network import Network, Ports, Selection, numbered


def holds(networks: list[str], host: str) -> bool:
    """@return: the client's address is in one of the networks."""
    chosen = Selection(tuple(map(Network, networks)), ())
    return Host(host, 40000) in chosen


class NetworkTests(SynchronousTestCase):
    def refused(self, text: str) -> str:
        """@return: what is said of a text that is no network."""
        return str(self.assertRaises(ValueError, Network, text))

    def test_a_network(self) -> None:
        """A network holds its first and its last address, and no other."""
        for host, inside in (
            ("10.0.0.0", True),
            ("10.0.0.7", True),
            ("10.0.0.8", False),
            ("9.255.255.255", False),
        ):
            self.assertEqual(holds(["10.0.0.0/29"], host), inside, host)

    def test_a_netmask(self) -> None:
        """A network may have its mask written out."""
        self.assertEqual(Network("10.0.0.0/255.0.0.0").high, (4, 0x0AFFFFFF))

    def test_one_address(self) -> None:
        """An address stands for itself; other spellings of it are the same."""
        self.assertTrue(holds(["2001:db8::1"], "2001:0db8:0:0::1"))
        self.assertFalse(holds(["2001:db8::1"], "2001:db8::2"))

    def test_a_range(self) -> None:
        """Both ends of a range are in it; blanks around the dash are allowed."""
        for host, inside in (
            ("10.0.0.5", True),
            ("10.0.1.5", True),
            ("10.0.0.4", False),
            ("10.0.1.6", False),
        ):
            self.assertEqual(holds(["10.0.0.5 - 10.0.1.5"], host), inside, host)

    def test_families_are_apart(self) -> None:
        """All of IPv6 holds no IPv4 address, and the other way round."""
        self.assertFalse(holds(["::/0"], "10.0.0.1"))
        self.assertFalse(holds(["::/0"], "::ffff:10.0.0.1"))
        self.assertFalse(holds(["0.0.0.0/0"], "::a00:1"))
        self.assertTrue(holds(["::/0"], "2001:db8::1"))

    def test_mapped_addresses_count_as_v4(self) -> None:
        """Of clients and in networks."""
        self.assertTrue(holds(["10.0.0.0/8"], "::ffff:10.1.2.3"))
        self.assertTrue(holds(["::ffff:10.0.0.0/104"], "10.1.2.3"))
        self.assertTrue(holds(["::ffff:10.1.2.3"], "10.1.2.3"))
        self.assertTrue(holds(["::ffff:0:0/96"], "10.1.2.3"))
        self.assertFalse(holds(["::ffff:10.0.0.0/104"], "11.1.2.3"))

    def test_a_large_network_around_the_mapped_ones_is_v6(self) -> None:
        """C{::/80} ends with the last mapped address, and holds none."""
        self.assertTrue(holds(["::/80"], "::1"))
        self.assertFalse(holds(["::/80"], "::ffff:10.0.0.1"))

    def test_a_zone_is_ignored(self) -> None:
        """A client on a link has its interface in its address."""
        self.assertTrue(holds(["fe80::/10"], "fe80::1%eth0"))

    def test_host_bits(self) -> None:
        """The fault names the network that was probably meant."""
        self.assertIn("'10.0.0.0/8' is its network", self.refused("10.0.0.1/8"))
        self.assertIn("'2001:db8::/32'", self.refused("2001:db8::1/32"))

    def test_faults_say_what_is_allowed(self) -> None:
        for text in ("", "example.org", "10.0.0.0/33", "10.0.0", "1.2.3.4-", "a/8"):
            self.assertIn("10.0.0.1-10.0.0.9 is allowed", self.refused(text), text)

    def test_impossible_ranges(self) -> None:
        self.assertIn("ends before it starts", self.refused("10.0.0.2-10.0.0.1"))
        self.assertIn("mixes IPv4 and IPv6", self.refused("10.0.0.2-::1"))

    def test_equal_by_text(self) -> None:
        """Reloads compare what was written."""
        self.assertEqual(Network("10.0.0.0/8"), Network("10.0.0.0/8"))
        self.assertNotEqual(Network("10.0.0.0/8"), Network("10.0.0.0/9"))


class PortsTests(SynchronousTestCase):
    def test_one_port(self) -> None:
        """As a number or as text."""
        for ports in (Ports(443), Ports("443")):
            self.assertIn(443, ports)
            self.assertNotIn(442, ports)
            self.assertNotIn(444, ports)

    def test_a_range(self) -> None:
        ports = Ports("1-1023")
        self.assertEqual([p in ports for p in (0, 1, 1023, 1024)], [0, 1, 1, 0])

    def test_faults(self) -> None:
        for text in ("", "65536", "-1", "1-", "a", "1-65536", "²", 70000, "1-2-3"):
            fault = str(self.assertRaises(ValueError, Ports, text))
            self.assertIn("range like 1-1023 is allowed", fault)
        fault = str(self.assertRaises(ValueError, Ports, "9-1"))
        self.assertIn("ends before it starts", fault)


class SelectionTests(SynchronousTestCase):
    def test_address_and_port(self) -> None:
        """Both must be chosen when both are given."""
        chosen = Selection((Network("10.0.0.0/8"),), (Ports("1-1023"), Ports(5000)))
        self.assertIn(Host("10.1.1.1", 5000), chosen)
        self.assertIn(Host("10.1.1.1", 22), chosen)
        self.assertNotIn(Host("10.1.1.1", 2222), chosen)
        self.assertNotIn(Host("11.1.1.1", 22), chosen)

    def test_ports_alone(self) -> None:
        self.assertIn(Host("::1", 22), Selection((), (Ports(22),)))
        self.assertNotIn(Host("::1", 23), Selection((), (Ports(22),)))

    def test_unix_sockets_are_nowhere(self) -> None:
        """They have neither address nor port."""
        chosen = Selection((Network("0.0.0.0/0"), Network("::/0")), ())
        self.assertNotIn(Unix("/run/x"), chosen)
        self.assertNotIn(Unix(""), Selection((), (Ports("0-65535"),)))

    def test_a_name_is_no_address(self) -> None:
        self.assertFalse(holds(["0.0.0.0/0", "::/0"], "localhost"))

    def test_nothing_chosen(self) -> None:
        self.assertRaises(ValueError, Selection, (), ())

    @given(
        st.lists(
            st.tuples(st.integers(0, 255), st.integers(24, 32)), min_size=1, max_size=8
        ),
        st.integers(0, 255),
    )
    def test_many_networks(self, chosen: list[tuple[int, int]], last: int) -> None:
        """Overlapping or not, in any order: the same as one by one."""
        networks = [
            str(ip_network(f"192.0.2.{octet}/{bits}", strict=False))
            for octet, bits in chosen
        ]
        host = f"192.0.2.{last}"
        expected = any(ip_address(host) in ip_network(one) for one in networks)
        self.assertEqual(holds(networks, host), expected)


class NumberedTests(SynchronousTestCase):
    @given(st.ip_addresses())
    def test_order(self, address: IPv4Address | IPv6Address) -> None:
        """The number tells the version and the address."""
        mapped = getattr(address, "ipv4_mapped", None) or address
        self.assertEqual(numbered(str(address)), (mapped.version, int(mapped)))

    def test_no_address(self) -> None:
        self.assertIsNone(numbered("*"))
