"""
Pages that are run: their files are written, their commands called.

A block of YAML or Python whose first line is C{# NAME} is the file of that name. A
block of C{sh} is run, and what it prints must be the block of C{text} behind it, in
which C{...} stands for any lines, or for anything within a line. C{portmux run} and
C{http.server} stay in the background. Ports from 8000 to 8999 are others in each run.
"""

from __future__ import annotations

import re
import shlex
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs

from tests.integration.processes import ROOT, ProcessCase, environment, until

DOCS: Final = ROOT / "docs"

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# ([\w.-]+)\n")
_PORT = re.compile(r"\b8[0-9]{3}\b")
_STAYS = re.compile(r"portmux run |python3 -m http\.server ")


@attrs.frozen
class Block:
    """@ivar kind: the word behind the fence."""

    kind: str
    text: str

    @property
    def file(self) -> str | None:
        """The name of the file that it is."""
        found = _FILE.match(self.text)
        known = found is not None and self.kind in ("yaml", "python")
        return found[1] if found is not None and known else None


def blocks(page: Path) -> list[Block]:
    """@return: what stands between fences."""
    text = page.read_text("utf-8")
    return [Block(kind, body) for kind, body in _FENCE.findall(text)]


def pages() -> list[Path]:
    """@return: every page of the manual, and the README."""
    built = DOCS / "_build"
    found = [path for path in sorted(DOCS.rglob("*.md")) if built not in path.parents]
    return [ROOT / "README.md", *found]


class TranscriptCase(ProcessCase):
    """Does what a page says."""

    def follow(self, page: Path) -> int:
        """@return: how many blocks of commands were run."""
        self._bin()
        ports = _free_ports(page)
        ran = 0
        listed = [
            Block(each.kind, _PORT.sub(lambda found: ports[found[0]], each.text))
            for each in blocks(page)
        ]
        for block, after in zip(listed, [*listed[1:], None], strict=True):
            if block.file is not None:
                self.write(block.text, block.file)
            elif block.kind == "sh":
                told = after.text if after is not None and after.kind == "text" else ""
                printed = self._printed(block.text)
                ran += 1
                self.assertTrue(
                    fits(told, printed),
                    f"{page.name}: {block.text}prints\n{printed}and not\n{told}",
                )
        return ran

    def _bin(self) -> None:
        """Have C{portmux} and C{python3} be ours."""
        folder = self.folder / "bin"
        folder.mkdir()
        python = shlex.quote(sys.executable)
        for name, words in (("portmux", "-m portmux"), ("python3", "")):
            script = folder / name
            script.write_text(f'#!/bin/sh\nexec {python} {words} "$@"\n')
            script.chmod(0o755)

    def _environment(self) -> dict[str, str]:
        found = environment()
        return {**found, "PATH": f"{self.folder / 'bin'}:{found['PATH']}"}

    def _printed(self, script: str) -> str:
        """@return: what the commands print, all of which must succeed."""
        lines = script.splitlines()
        stays = [line for line in lines if _STAYS.match(line)]
        rest = "\n".join(line for line in lines if line not in stays)
        env = self._environment()
        status, out, errors = self.call("bash", "-ec", rest, env=env)
        self.assertEqual((status, errors), (0, ""), script)
        for line in stays:
            running = self.start("bash", "-c", f"exec {line}", env=env)
            if line.startswith("portmux"):
                running.started()
            else:
                _wait_for_port(int(line.split()[-1]))
        return out


def fits(pattern: str, printed: str) -> bool:
    """@return: whether it is the text, in which C{...} may be anything."""
    expected = "".join(
        r"(?:[^\n]*\n)*" if line == "...\n" else _line(line)
        for line in pattern.splitlines(keepends=True)
    )
    return re.fullmatch(expected, printed.replace("\r\n", "\n")) is not None


def _line(pattern: str) -> str:
    return "[^\\n]*".join(re.escape(part) for part in pattern.split("..."))


def _wait_for_port(port: int) -> None:
    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(answers, lambda: f"nobody listens on {port}")


def _free_ports(page: Path) -> Mapping[str, str]:
    """@return: for each port of the page, one that nobody uses now."""
    named = sorted(set(_PORT.findall(page.read_text("utf-8"))))
    return dict(zip(named, _unused(len(named)), strict=True))


def _unused(count: int) -> Iterator[str]:
    """Held all at once, so that no two are the same."""
    held = [socket.socket() for _ in range(count)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    ports = [str(each.getsockname()[1]) for each in held]
    for each in held:
        each.close()
    yield from ports
