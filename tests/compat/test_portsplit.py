"""Tests of portsplit's command line."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.compat.portsplit import USAGE, convert, inputs
from portmux.config.load import Inputs, load
from portmux.config.sources.syntax import Syntax
from portmux.errors import ConfigError
from tests.config.kinds import KINDS, Disk
from tests.config.sources.test_portsplit import EVERY_KEY

DISK = Disk({"split.yaml": EVERY_KEY, "/etc/split.conf": EVERY_KEY})


def given(*arguments: str) -> Inputs:
    return inputs(arguments, read=DISK.read, glob=DISK.glob, registry=KINDS)


class PortsplitTests(SynchronousTestCase):
    def test_one_file(self) -> None:
        """It is in portsplit's syntax, whatever it is called."""
        self.assertEqual(given("x").syntax, Syntax.PORTSPLIT)
        config = load(given("split.yaml")).config
        self.assertEqual(list(config.listeners), ["split"])
        self.assertEqual((config.drain, config.pid), (None, "/run/portmux/split.pid"))

    def test_nothing_else(self) -> None:
        """portsplit knew no settings and no variables."""
        self.assertEqual((given("x").settings, dict(given("x").environ)), ((), {}))

    def test_usage(self) -> None:
        for arguments in [(), ("a", "b")]:
            error = self.assertRaises(ConfigError, given, *arguments)
            self.assertEqual(error.faults, (USAGE,))
        self.assertTrue(USAGE.startswith("usage: portmux portsplit"))

    def test_no_such_file(self) -> None:
        error = self.assertRaises(ConfigError, load, given("gone"))
        self.assertIn("gone: cannot be read", error.faults[0])

    def test_convert(self) -> None:
        """What is printed is the same configuration."""
        before = load(given("/etc/split.conf"))
        text = convert(before)
        self.assertTrue(text.startswith("listeners:\n  split:\n    bind:\n"))
        disk = Disk({"portmux.conf": text.encode()})
        after = load(
            Inputs(read=disk.read, glob=disk.glob, registry=KINDS, file="portmux.conf")
        )
        self.assertEqual(after.config, before.config)
        self.assertEqual(after.warnings, ())
