"""How-to pages, run as they stand there: their files, their commands, real clients."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import ClassVar, Final

from tests.integration.processes import Foreground
from tests.manual.transcript import DOCS, blocks
from tests.peers.stage import PeersCase, Ran

ANY: Final = "127.0.0.1:0"
"""Where portmux listens: on a port that the system chooses."""

_ADDRESS: Final = re.compile(r"[\w.*]*:\d+\b")


class CookbookCase(PeersCase):
    """
    Does what a page says, on this machine.

    Addresses and names of the page are others here, and nothing else: that
    something on the page does not work is what such a test is to find.

    @cvar page: the page's name.
    """

    page: ClassVar[str]

    def shown(self, name: str, changes: Mapping[str, object]) -> str:
        """
        @param name: what the first line of the block says, behind C{# }.
        @param changes: what stands here for what stands there.
        @return: the text of a file of the page.
        @raise AssertionError: it has no such file, something that is to be
            changed is not in it, or an address in it was not.
        """
        first = f"# {name}\n"
        listed = blocks(DOCS / "howto" / f"{self.page}.md")
        (text,) = (one.text for one in listed if one.text.startswith(first))
        changed = _changed(text, changes)
        ours = " ".join(map(str, changes.values()))
        left = [one for one in _ADDRESS.findall(changed) if one not in ours]
        assert not left, f"{name} still has {left}"
        return changed

    def front_of(
        self, name: str, changes: Mapping[str, object], *options: str
    ) -> Foreground:
        """@return: portmux on a file of the page, once it serves."""
        return self.portmux(self.shown(name, changes), *options)

    def line(self, line: str, changes: Mapping[str, object]) -> str:
        """@return: what is here a command that the page has a reader type."""
        page = (DOCS / "howto" / f"{self.page}.md").read_text()
        assert f"\n$ {line}\n" in page, f"{self.page} does not show {line}"
        return _changed(line, changes)

    def typed(self, line: str, changes: Mapping[str, object], data: bytes = b"") -> Ran:
        """@return: what becomes of that command."""
        return self.ask("sh", "-c", self.line(line, changes), data=data)


def _changed(text: str, changes: Mapping[str, object]) -> str:
    """@raise AssertionError: something that is to be changed is not there."""
    missing = [old for old in changes if old not in text]
    assert not missing, f"{missing} not in\n{text}"
    longest = sorted(changes, key=len, reverse=True)
    either = re.compile("|".join(map(re.escape, longest)) or r"(?!)")
    return either.sub(lambda found: str(changes[found[0]]), text)


def words(*command: object) -> str:
    """@return: a command as a line for a shell."""
    return shlex.join(map(str, command))
