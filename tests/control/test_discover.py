"""Tests for L{portmux.control.discover}."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from portmux.control.commands import ALL
from portmux.control.discover import described


class DiscoverTests(SynchronousTestCase):
    def test_methods(self) -> None:
        """All of them, with what they take; it can be written as JSON."""
        found = json.loads(json.dumps(described(ALL)))
        methods = {each["name"]: each for each in found["methods"]}
        self.assertEqual(set(methods), {each.method for each in ALL if each.method})
        opened = methods["openTunnel"]["params"]
        names = [each["name"] for each in opened]
        self.assertEqual(names, ["tunnel_socket", "remotes", "options"])
        self.assertEqual([each["required"] for each in opened], [True, True, False])
        self.assertEqual(opened[1]["schema"]["type"], "array")
        self.assertTrue(all(each["summary"] for each in methods.values()))
