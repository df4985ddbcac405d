"""Tests for L{portmux.control.helping}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.control.commands import ALL, PLEXY
from portmux.control.helping import explained

EIGHT = """\
OK: commands
\tOPEN tunnel
\tCLOSE tunnel
\tADD socket_address
\tREMOVE socket_address
\tSTATUS [full|long]
\tDETAIL tunnel
\tEXIT
\tHELP
"""


class HelpTests(SynchronousTestCase):
    def test_plexy(self) -> None:
        """Its eight lines; whatever stands behind HELP is ignored."""
        for word in ("", "open", "frob"):
            self.assertEqual(explained(PLEXY, word).spelled(), EIGHT)

    def test_all(self) -> None:
        """Those first, then ours."""
        text = explained(ALL, "").spelled()
        self.assertTrue(text.startswith(EIGHT))
        self.assertIn("\tDRAIN POOL BACKEND\n", text)
        self.assertNotIn("AUTH", text)
        self.assertEqual(explained(ALL, "frob").spelled(), text)

    def test_one(self) -> None:
        """What it does, and what it takes."""
        self.assertEqual(
            explained(ALL, "drain").spelled(),
            "OK: DRAIN POOL BACKEND\n"
            "\tGive a backend no new sessions, but of clients that stick to it.\n"
            "\tPOOL: the pool's name\n"
            "\tBACKEND: the backend's address\n",
        )
