"""Tests for L{portmux.core.modbus.access}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host, Unix
from portmux.core.modbus.access import Functions, Registers, Rule, judge, pretended
from portmux.core.modbus.span import Span, Table
from portmux.core.network import Network
from tests.core.modbus.test_span import PDUS

CLIENT = Host("10.0.0.7", 4000)

READ = bytes.fromhex("0300640002")
WRITE = bytes.fromhex("060064ffff")
WRITE_TWO = bytes.fromhex("100064000204ffffffff")
OWN = b"\x41whatever"


def then(*rules: Rule, pdu: bytes = WRITE, unit: int = 1, client: Host = CLIENT) -> str:
    """@return: what becomes of a request."""
    rule = judge(rules, client, unit, pdu)
    return "allow" if rule is None else rule.then


class RuleTests(SynchronousTestCase):
    def test_none(self) -> None:
        self.assertEqual(then(), "allow")

    def test_everything(self) -> None:
        """A rule without conditions fits."""
        for pdu in (READ, WRITE, OWN, b""):
            self.assertEqual(then(Rule(), pdu=pdu), "refuse")

    def test_first_that_fits(self) -> None:
        rules = (Rule(then="allow", units=(1,)), Rule(then="ignore"))
        self.assertEqual(then(*rules, unit=1), "allow")
        self.assertEqual(then(*rules, unit=2), "ignore")

    def test_functions(self) -> None:
        """Of one kind, or by number; what is no known read is a write."""
        read_only = Rule(functions=(Functions("write"),))
        self.assertEqual(then(read_only, pdu=READ), "allow")
        for pdu in (WRITE, WRITE_TWO, OWN, PDUS["DIAGNOSTICS"], b""):
            self.assertEqual(then(read_only, pdu=pdu), "refuse", pdu)
        self.assertEqual(then(Rule(functions=(Functions("read"),)), pdu=READ), "refuse")
        six = Rule(functions=(Functions(6),))
        self.assertEqual(then(six, pdu=WRITE), "refuse")
        self.assertEqual(then(six, pdu=WRITE_TWO), "allow")

    def test_clients(self) -> None:
        rule = Rule(clients=(Network("10.0.0.0/8"),))
        self.assertEqual(then(rule), "refuse")
        self.assertEqual(then(rule, client=Host("192.0.2.1", 1)), "allow")
        self.assertIsNone(judge((rule,), Unix(""), 1, WRITE))

    def test_registers_that_are_refused(self) -> None:
        """One of them is enough, in whatever the request touches."""
        rule = Rule(registers=(Registers("101"), Registers("200-300")))
        self.assertEqual(then(rule, pdu=WRITE), "allow")
        self.assertEqual(then(rule, pdu=WRITE_TWO), "refuse")
        self.assertEqual(then(rule, pdu=READ), "refuse")
        both = bytes.fromhex("17 0000 0001 00c8 0001 02 0000")
        self.assertEqual(then(rule, pdu=both), "refuse")

    def test_registers_that_are_allowed(self) -> None:
        """All of them must be."""
        rules = (
            Rule(then="allow", registers=(Registers("100"),)),
            Rule(functions=(Functions("write"),)),
        )
        self.assertEqual(then(*rules, pdu=WRITE), "allow")
        self.assertEqual(then(*rules, pdu=WRITE_TWO), "refuse")
        wider = Rule(then="allow", registers=(Registers("100-101"),))
        self.assertEqual(then(wider, *rules, pdu=WRITE_TWO), "allow")

    def test_registers_of_unknown_functions(self) -> None:
        """They may be any; those of functions without registers are none."""
        allow, refuse = (
            Rule(then="allow", registers=(Registers("0-65535"),)),
            Rule(registers=(Registers("5"),)),
        )
        self.assertEqual(then(allow, Rule(), pdu=OWN), "refuse")
        self.assertEqual(then(refuse, pdu=OWN), "refuse")
        self.assertEqual(then(refuse, pdu=PDUS["ENCAPSULATED"]), "allow")
        self.assertEqual(then(allow, Rule(), pdu=PDUS["ENCAPSULATED"]), "refuse")

    def test_everybody(self) -> None:
        """A broadcast reaches the units that a rule protects."""
        self.assertEqual(then(Rule(units=(5,)), unit=0), "refuse")
        allow = Rule(then="allow", units=(5,))
        self.assertEqual(then(allow, Rule(), unit=0), "refuse")


class WrittenTests(SynchronousTestCase):
    def test_functions(self) -> None:
        for text in ("", "writes", "0", "128", "-1", "\xb2", 0):
            error = self.assertRaises(ValueError, Functions, text)
            self.assertIn("read, write or 1 to 127 is", str(error))
        self.assertTrue(Functions("16").fits(WRITE_TWO))
        self.assertTrue(Functions(127).fits(b"\x7f"))

    def test_registers(self) -> None:
        """A number, or a range with both ends in it."""
        span = Span(Table.COILS, 10, 5)
        for text, touches, holds in (
            ("10-14", True, True),
            ("9-15", True, True),
            ("10-13", True, False),
            ("11-14", True, False),
            ("14", True, False),
            (15, False, False),
            ("0-9", False, False),
        ):
            found = Registers(text)
            self.assertEqual((found.touches(span), found.holds(span)), (touches, holds))
        for text in ("", "-", "1-", "-1", "a", "2-1", "65536", "0-65536", "1-2-3"):
            self.assertRaises(ValueError, Registers, text)
        Registers("0-65535")


class PretendedTests(SynchronousTestCase):
    def test_as_a_device_answers(self) -> None:
        """What pymodbus' server answers to the same writes."""
        for name in ("WRITE_COIL", "WRITE_REGISTER", "MASK_WRITE_REGISTER"):
            self.assertEqual(pretended(PDUS[name]), PDUS[name])
        for name in ("WRITE_COILS", "WRITE_REGISTERS"):
            self.assertEqual(pretended(PDUS[name]), PDUS[name][:5])

    def test_none(self) -> None:
        """What would bring values cannot be pretended."""
        for name in ("READ_COILS", "READ_WRITE_REGISTERS", "WRITE_FILE", "DIAGNOSTICS"):
            self.assertIsNone(pretended(PDUS[name]), name)
        for pdu in (b"", b"\x10\0\0", OWN):
            self.assertIsNone(pretended(pdu))
