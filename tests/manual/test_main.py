"""The pages that are committed are those that the declarations give."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from manual.__main__ import made, outdated


class OutdatedTests(SynchronousTestCase):
    def test_committed_pages(self) -> None:
        """Where this fails: C{make reference}, and commit what has changed."""
        self.assertEqual(outdated(), [])

    def test_notices(self) -> None:
        """A page that is missing or differs is named."""
        root = Path(self.mktemp())
        for name, text in made().items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, "utf-8")
        self.assertEqual(outdated(root), [])
        (root / "man" / "portmux.8").unlink()
        (root / "docs" / "defaults.md").write_text("else")
        self.assertEqual(outdated(root), ["docs/defaults.md", "man/portmux.8"])
