"""Test portmux.config.logs."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.logs import Log
from tests.config.kinds import faults_of, inputs


class LogTests(SynchronousTestCase):
    def test_options(self) -> None:
        """What is written where can be told apart, and rotated only if it is ours."""
        text = 'listeners: {a: {bind: "*:1", close: }}\nlog: '
        for log in (
            "{output: syslog, access: x, rotate: 1MB}",
            "{output: ./x, rotate: {size: 1MB, keep: 1}}",
            "{levels: {net: debug, portmux.app: warn}}",
        ):
            self.assertEqual(faults_of(inputs(text + log)), [])
        for log, said in {
            "{output: sylog}": 'log.output: "sylog" is not stderr, syslog or a path',
            "{output: ./x, access: ./x}": "log.access: is the file of messages",
            "{output: syslog, rotate: 1MB}": "log.rotate: means nothing without a file",
            "{access: x, rotate: 0}": "log.rotate: 0 is not allowed, more than 0",
            "{access: x, rotate: {size: 1, keep: 0}}": "log.rotate.keep: 0 is too",
            "{levels: {nett: debug}}": 'log.levels.nett: "nett" is no part of portmux',
            "{levels: {net: verbose}}": 'log.levels.net: "verbose" is not allowed',
        }.items():
            (fault,) = faults_of(inputs(text + log))
            self.assertIn(said, fault)

    def test_file(self) -> None:
        """What names a file, and what does not."""
        for output, file in {"stderr": None, "syslog": None, "./x": "./x"}.items():
            self.assertEqual(Log(output=output).file, file)
