"""Tests for L{portmux.core.modbus.units}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.modbus.units import Unit, Units, check_units

ONE, TWO = (Host("10.0.0.1", 502),), (Host("10.0.0.2", 502), Host("10.0.0.3", 502))


class UnitsTests(SynchronousTestCase):
    def test_nothing_said(self) -> None:
        """All units are at the usual target, with their numbers."""
        units = Units({})
        self.assertEqual((units.targets, units.numbers), ((), {}))
        self.assertEqual((units.target(5), units.device(5)), (0, (0, 5)))
        self.assertNotIn(5, units)

    def test_places(self) -> None:
        """Equal targets are one."""
        units = Units(
            {1: Unit(17), 2: Unit(to=ONE), 3: Unit(1, to=TWO), 4: Unit(2, to=TWO)}
        )
        self.assertEqual(units.targets, (ONE, TWO))
        self.assertEqual([units.target(unit) for unit in range(6)], [0, 0, 1, 2, 2, 0])
        self.assertEqual(units.numbers, {1: 17, 3: 1, 4: 2})
        self.assertEqual(
            [units.device(unit) for unit in (1, 2, 3, 17)],
            [(0, 17), (1, 2), (2, 1), (0, 17)],
        )
        self.assertIn(1, units)

    def test_numbers(self) -> None:
        check_units({0: Unit(255), 255: Unit(0)})
        for units in ({256: Unit(1)}, {-1: Unit(1)}, {1: Unit(256)}):
            error = self.assertRaises(ValueError, check_units, units)
            self.assertIn("is not a unit, 0 to 255 are allowed", str(error))
