"""Tests for L{portmux.core.modbus.options}, as files give them."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.decode import FAULTY, Decoder
from portmux.config.faults import Faults
from portmux.config.sources import yaml
from portmux.config.tree import Origin
from portmux.core.address import Host
from portmux.core.frame.framer import Framer
from portmux.core.frame.modbus import Modbus
from portmux.core.frame.modbus_rtu import ModbusRtu
from portmux.core.modbus import options
from portmux.core.modbus.access import Functions, Registers, Rule
from portmux.core.modbus.units import Unit
from portmux.core.network import Network
from portmux.core.option import Seconds, declared
from tests.config.kinds import KINDS, told

TEXT = """
{%s: {
  units: {1: 17, 2: {unit: 1, to: "10.0.0.8:502"}, 3: {to: ["a:1", "b:1"]}},
  other-units: refuse,
  access: [
    {then: allow, clients: 10.0.0.0/8, units: [1], functions: [6, write]},
    {functions: write, registers: [100-199, 7], then: ignore},
  ],
  share: true,
  cache: 2s}}
"""


def decoded(text: str) -> tuple[Any, list[str]]:
    """@return: the framer that a file asks for, and what is wrong."""
    faults = Faults()
    node = yaml.fragment(Origin("file"), text, faults)
    assert node is not None
    return Decoder(KINDS, faults).decode(Framer, node), told(faults)


class OptionsTests(SynchronousTestCase):
    def test_all(self) -> None:
        """They are the same, whatever carries Modbus."""
        for name, kind in (("modbus", Modbus), ("modbus-rtu", ModbusRtu)):
            found, wrong = decoded(TEXT % name)
            self.assertEqual(wrong, [])
            self.assertEqual(
                found,
                kind(
                    units={
                        1: Unit(17),
                        2: Unit(1, to=(Host("10.0.0.8", 502),)),
                        3: Unit(to=(Host("a", 1), Host("b", 1))),
                    },
                    other_units="refuse",
                    access=(
                        Rule(
                            then="allow",
                            clients=(Network("10.0.0.0/8"),),
                            units=(1,),
                            functions=(Functions("6"), Functions("write")),
                        ),
                        Rule(
                            functions=(Functions("write"),),
                            registers=(Registers("100-199"), Registers("7")),
                            then="ignore",
                        ),
                    ),
                    share=True,
                    cache=Seconds(2.0),
                ),
            )

    def test_defaults(self) -> None:
        """By itself it passes on what there is."""
        self.assertEqual(decoded("modbus"), (Modbus(), []))
        self.assertEqual(decoded("modbus-rtu"), (ModbusRtu(), []))
        self.assertIsNone(Modbus().cache)

    def test_faults(self) -> None:
        for text, wrong in (
            ("{modbus: {units: {256: 1}}}", "256 is not a unit"),
            ("{modbus: {units: {x: 1}}}", '"x" is not a whole number'),
            ("{modbus: {units: {1: 300}}}", "300 is not a unit"),
            ("{modbus: {cache: 0}}", "0 is not allowed, more than 0 is"),
            ("{modbus: {access: {functions: writes}}}", '"writes" is not allowed'),
            ("{modbus: {access: {registers: 9-1}}}", '"9-1" is not a range within'),
            ("{modbus: {access: {units: 256}}}", "256 is not a unit"),
            ("{modbus-rtu: {transactions: keep}}", "unknown key"),
            ("{modbus: , line: }", "has 2 keys, one protocol is allowed"),
            ("modbsu", 'did you mean "modbus"?'),
        ):
            found, faults = decoded(text)
            self.assertIs(found, FAULTY, text)
            self.assertEqual(len(faults), 1, faults)
            self.assertIn(wrong, faults[0])

    def test_declared(self) -> None:
        """Each is an option, with a line of help."""
        for make in (
            options.units,
            options.other_units,
            options.access,
            options.share,
            options.cache,
        ):
            found = declared(make())
            assert found is not None
            self.assertTrue(found.help)
