"""Test C{portmux schema}."""

from __future__ import annotations

import json

from portmux.commands import schema
from portmux.config.schema import DRAFT
from tests.test_cli import CliCase


class SchemaTests(CliCase):
    def test_prints_it(self) -> None:
        """One JSON document, with the actions that there are."""
        self.assertEqual(self.call(schema.__name__.rpartition(".")[2]), 0)
        printed = json.loads(self.out.getvalue())
        self.assertEqual(printed["$schema"], DRAFT)
        self.assertIn("action.forward", printed["$defs"])
        self.assertEqual(self.errors.getvalue(), "")
