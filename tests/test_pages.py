"""The documentation is true: its files can be loaded, its commands exist and run."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from jsonschema import Draft202012Validator
from twisted.trial.unittest import SynchronousTestCase

from portmux import commands
from portmux.app.build import registry
from portmux.config.faults import Faults
from portmux.config.load import Inputs, load
from portmux.config.schema import plain, schema
from portmux.config.sources import yaml
from portmux.config.tree import Table
from portmux.errors import ConfigError
from portmux.tap import Options
from tests.integration.processes import ROOT
from tests.manual.transcript import DOCS, TranscriptCase, blocks, fits, pages

KINDS = registry()
VALIDATOR = Draft202012Validator(schema(KINDS))

WHOLE: Final = {"listeners", "include", "log", "tunnels"}
"""Keys of a whole file; a block without any of them is a part of a route."""

FOLLOWED: Final = (
    "ambiguity.md",
    "howto/behind-haproxy.md",
    "howto/editor.md",
    "howto/from-haproxy.md",
    "howto/from-sslh.md",
    "howto/git-by-sni.md",
    "howto/modbus.md",
    "howto/openvpn.md",
    "howto/server-first.md",
    "howto/ssh-and-https.md",
)
"""Pages whose commands need nothing but Python."""

ELSEWHERE: Final = {"tutorial.md", "howto/programs.md"}
"""Pages that tests/peers follow."""

PEERS: Final = ROOT / "tests" / "peers"

WITHOUT_CLIENTS: Final = {"index", "editor"}
"""Pages that no program of Debian's could be the client of."""

_COMMAND = re.compile(
    r"^(?:    |[$#] )(?:\S*/)?((?:portmux|twistd portmux) .*)", re.MULTILINE
)

_BEHIND = re.compile(r"  +|[|#>&]")
"""What ends a command on its line."""


def name(page: Path) -> str:
    return page.relative_to(DOCS if DOCS in page.parents else ROOT).as_posix()


def parts(text: str) -> Iterator[str]:
    """@return: whole files; of lines that each are a route's part, routes of them."""
    tree = yaml.parse("block", text, faults := Faults())
    if not faults and isinstance(tree, Table) and WHOLE & tree.entries.keys():
        yield text
        return
    for part in re.split(r"^(?=match:|[a-z]+:)", text, flags=re.M):
        if part.strip():
            inner = part if part.startswith("match:") else f"match: always\n{part}"
            last = "" if "\nmatch" not in inner and part != inner else "echo:\n"
            lines = f"name: x\n{inner.rstrip()}\n{last}".splitlines()
            yield (
                'listeners:\n  front:\n    bind: "*:1"\n    routes:\n      -\n'
                + "".join(f"        {line}\n" for line in lines)
            )


def shown_commands(page: Path) -> Iterator[list[str]]:
    """@return: the words of each command of ours that a page shows."""
    run = "".join(each.text for each in blocks(page) if each.kind == "sh")
    text = page.read_text("utf-8") + "".join(f"    {x}\n" for x in run.splitlines())
    for line in _COMMAND.findall(text):
        yield shlex.split(_BEHIND.split(line)[0])


class YamlTests(SynchronousTestCase):
    def test_every_block(self) -> None:
        """portmux takes it, and the schema that editors use."""
        seen = 0
        for page in pages():
            for block in blocks(page):
                if block.kind != "yaml":
                    continue
                for text in parts(block.text):
                    seen += 1
                    self.hold(name(page), text)
        self.assertGreater(seen, 30)

    def hold(self, where: str, text: str) -> None:
        try:
            tree = load(
                Inputs(
                    read=lambda file: text.encode(),
                    glob=lambda pattern: [],
                    registry=KINDS,
                    file="portmux.conf",
                )
            ).tree
        except ConfigError as error:
            self.fail(f"{where}: {error.faults}\n{text}")
        found = [error.message for error in VALIDATOR.iter_errors(plain(tree))]
        self.assertEqual(found, [], f"{where}:\n{text}")


class CommandTests(SynchronousTestCase):
    def test_every_command(self) -> None:
        """What is shown can be typed: sub-command and options exist."""
        parser = argparse.ArgumentParser(prog="portmux", exit_on_error=False)
        parser.add_argument("--version", action="store_true")
        commands.load(parser.add_subparsers())
        seen = 0
        for page in pages():
            for words in shown_commands(page):
                seen += 1
                try:
                    if words[0] == "twistd":
                        Options().parseOptions(words[2:])
                    else:
                        parser.parse_args(words[1:])
                except (SystemExit, argparse.ArgumentError) as error:
                    self.fail(f"{name(page)}: {words}: {error}")
        self.assertGreater(seen, 20)


class PageTests(TranscriptCase):
    def test_every_page_with_commands_is_followed(self) -> None:
        found = {
            name(page) for page in pages() for each in blocks(page) if each.kind == "sh"
        }
        self.assertEqual(found, {*FOLLOWED, *ELSEWHERE})

    def test_every_howto_has_its_clients(self) -> None:
        """tests/peers has a module for each page, of its name."""
        for page in (DOCS / "howto").glob("*.md"):
            if page.stem not in WITHOUT_CLIENTS:
                module = f"test_{page.stem.replace('-', '_')}.py"
                self.assertTrue((PEERS / module).exists(), module)

    def test_fits(self) -> None:
        self.assertTrue(fits("a\n...\nb\n", "a\nx\ny\nb\n"))
        self.assertTrue(fits("a\n...\nb ... d\n", "a\nb c d\n"))
        self.assertFalse(fits("a.\n", "ab\n"))
        self.assertFalse(fits("a...\n", "a\nb\n"))


def _following(page: str) -> None:
    """Make a test of a page."""

    def test(self: PageTests) -> None:
        self.assertGreater(self.follow(DOCS / page), 0)

    test.__doc__ = f"What {page} shows happens."
    setattr(PageTests, "test_" + re.sub(r"\W", "_", page.removesuffix(".md")), test)


for _page in FOLLOWED:
    _following(_page)
