"""Tests for L{portmux.core.match.source}."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Address, Host, Unix
from portmux.core.head import Opens, Verdict
from portmux.core.match import source
from portmux.core.match.source import Source
from portmux.core.network import Network, Ports
from portmux.core.option import declared
from portmux.core.registry import Registry
from portmux.testing import head_of, verdicts

OTHER = Host("203.0.113.9", 9)
PRIVATE = Source((Network("10.0.0.0/8"), Network("fd00::/8")))

EXAMPLES = (Source((Network("192.0.2.0/24"),)), PRIVATE)


class SourceTests(SynchronousTestCase):
    def matches(self, matcher: Source, address: Address) -> bool:
        """@return: the verdict, which needs no bytes, and sees no other address."""
        found = verdicts(matcher, b"a", source=address, local=OTHER)
        self.assertEqual(len(set(found)), 1)
        self.assertIsNot(found[0], Verdict.MORE)
        self.assertNotIsInstance(matcher, Opens)
        return found[0] is Verdict.YES

    def test_address(self) -> None:
        self.assertTrue(self.matches(PRIVATE, Host("10.1.2.3", 1)))
        self.assertTrue(self.matches(PRIVATE, Host("fd00::1", 1)))
        self.assertTrue(self.matches(PRIVATE, Host("::ffff:10.1.2.3", 1)))
        self.assertFalse(self.matches(PRIVATE, Host("192.0.2.1", 1)))

    def test_port(self) -> None:
        matcher = Source(port=(Ports(22), Ports("8000-8999")))
        self.assertTrue(self.matches(matcher, Host("192.0.2.1", 8080)))
        self.assertFalse(self.matches(matcher, Host("192.0.2.1", 23)))

    def test_both(self) -> None:
        matcher = Source(PRIVATE.address, port=(Ports(22),))
        self.assertTrue(self.matches(matcher, Host("10.1.2.3", 22)))
        self.assertFalse(self.matches(matcher, Host("10.1.2.3", 23)))
        self.assertFalse(self.matches(matcher, Host("11.1.2.3", 22)))

    def test_unix_socket(self) -> None:
        """It has no address and no port."""
        everywhere = Source((Network("0.0.0.0/0"), Network("::/0")))
        self.assertFalse(self.matches(everywhere, Unix("")))

    def test_nothing_chosen(self) -> None:
        fault = self.assertRaises(ValueError, Source)
        self.assertIn("an address or a port is needed", str(fault))

    def test_empty_options(self) -> None:
        """Options with no value are faults: they would let anything match."""
        for name in ("address", "port"):
            option = declared(attrs.fields_dict(Source)[name])
            assert option is not None and option.check is not None
            fault = self.assertRaises(ValueError, option.check, ())
            self.assertIn("at least one is needed", str(fault))

    def test_why(self) -> None:
        head = head_of(b"", source=Host("10.1.2.3", 1))
        self.assertEqual(
            PRIVATE.why(head).text, "source 10.1.2.3:1 is among those chosen"
        )
        head = head_of(b"", source=Unix("/run/a b"))
        self.assertEqual(
            PRIVATE.why(head).text,
            r"source unix:/run/a\x20b is not among those chosen",
        )


class RegisterTests(SynchronousTestCase):
    def test_name(self) -> None:
        registry = Registry()
        source.register(registry)
        self.assertEqual(registry.matchers, {"source": Source})
