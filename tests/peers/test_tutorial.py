"""The pages whose commands need real programs are followed word for word."""

from __future__ import annotations

from tests.manual.transcript import DOCS, TranscriptCase


class TutorialTests(TranscriptCase):
    def test_tutorial(self) -> None:
        self.assertEqual(self.follow(DOCS / "tutorial.md"), 11)

    def test_programs(self) -> None:
        self.assertEqual(self.follow(DOCS / "howto" / "programs.md"), 2)
