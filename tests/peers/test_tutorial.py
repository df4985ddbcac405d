"""The tutorial, whose commands need real programs, is followed word for word."""

from __future__ import annotations

from tests.manual.transcript import DOCS, TranscriptCase


class TutorialTests(TranscriptCase):
    def test_tutorial(self) -> None:
        self.assertEqual(self.follow(DOCS / "tutorial.md"), 11)
