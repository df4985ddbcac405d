"""Test portmux.app.shadowed; tests.commands.test_check has the texts."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.app.inputs import NONE, inputs
from portmux.app.shadowed import Shadowed
from portmux.config.load import Loaded, load

ROUTES = "[{name: a, match: ssh, close: }, {name: b, match: %s, close: }]"


def loaded(match: str) -> Loaded:
    setting = 'listeners.l={bind: "127.0.0.1:1", routes: %s}' % (ROUTES % match)
    return load(inputs(NONE, None, [setting], {}))


class ShadowedTests(SynchronousTestCase):
    def test_again(self) -> None:
        """As often as it is asked, and of the listener as it is then."""
        shadowed = Shadowed()
        for match, count in (("ssh", 1), ("ssh", 1), ("tls", 0), ("ssh", 1)):
            found = shadowed.warnings(loaded(match))
            self.assertEqual(len(found), count, match)

    def test_most(self) -> None:
        """Those that come later are not judged."""
        self.assertEqual(Shadowed(1).warnings(loaded("ssh")), ())
        (said,) = Shadowed(2).warnings(loaded("ssh"))
        self.assertIn('route "b" can never win', said)
