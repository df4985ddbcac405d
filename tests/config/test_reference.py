"""Tests of the table of options, and of the page that shows it."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.app.build import registry
from portmux.config.load import Inputs, load
from portmux.config.model import Config
from portmux.config.reference import (
    allowed,
    first_sentence,
    markdown,
    rows,
    told,
    written,
)
from portmux.config.tree import Items, Scalar, Style, Table
from portmux.core.option import option
from tests.config.kinds import KINDS, Disk, Exec, inputs

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


@attrs.frozen
class Sample:
    """Bars in help must not end a cell."""

    size: int = option("this | that", default=1, example="2")


class RowTests(SynchronousTestCase):
    def test_every_option(self) -> None:
        found = {".".join(row.path): row for row in rows(Config)}
        for path, takes, default in [
            ("listeners.NAME.bind.N.backlog", "a whole number, or none", "`none`"),
            ("listeners.NAME.sniff.limit", "a size such as", "`64KiB`"),
            ("listeners.NAME.routes.N.ACTION", "an action", "required"),
            ("listeners.NAME.ACTION", "an action, or none", "`none`"),
            ("listeners.NAME.routes", "options, or a list of them", "none given"),
            (
                "listeners.NAME.limits.ban",
                "a whole number, or options, or none",
                "`none`",
            ),
            ("listeners.NAME.limits.ban.within", "a duration", "`1m`"),
            ("listeners", "names, each with options", "none given"),
            ("log.format", "one of json, text", "`text`"),
            ("log", "options", ""),
            ("drain", "a duration", "`10s`"),
        ]:
            row = found[path]
            self.assertTrue(row.allowed.startswith(takes), (path, row.allowed))
            self.assertEqual(row.default, default, path)
            self.assertTrue(row.help, path)

    def test_options_of_a_kind(self) -> None:
        """Any configurable class can be shown."""
        (command, pty, environment) = rows(Exec, ("exec",))
        self.assertEqual(command.path, ("exec", "command"))
        self.assertEqual(command.allowed, "text, or a list of them")
        self.assertEqual(pty.default, "`false`")
        self.assertEqual(environment.default, "none given")
        for kind in (*KINDS.matchers.values(), *registry().actions.values()):
            list(rows(kind))

    def test_allowed(self) -> None:
        self.assertEqual(allowed(bytes | None), allowed(bytes) + ", or none")

    def test_markdown(self) -> None:
        """A line for each, four cells wide."""
        lines = markdown(rows(Sample)).splitlines()
        self.assertEqual(len(lines), 3)
        self.assertEqual(lines[2], r"| `size` | a whole number | `1` | this \| that |")


class WordTests(SynchronousTestCase):
    """What is told to people, from what stands in the code."""

    def test_written(self) -> None:
        """Text stands there bare; what YAML would misread is meant as text."""
        for example, style in [("16KiB", Style.PLAIN), ("*:443", Style.QUOTED)]:
            node = written(example)
            assert isinstance(node, Scalar)
            self.assertEqual((node.text, node.style), (example, style))
        self.assertIsInstance(written('["*:443"]'), Items)
        self.assertIsInstance(written("{a: 1}"), Table)

    def test_told(self) -> None:
        """Epytext becomes Markdown; fields are for programmers."""

        class Sample:
            """
            One line, with C{code} and L{portmux.core.head.Head}
            over two.

            More.

            @ivar x: hidden.
            """

        self.assertEqual(
            told(Sample), "One line, with `code` and `Head`\nover two.\n\nMore."
        )
        self.assertEqual(
            first_sentence(Sample), "One line, with `code` and `Head` over two"
        )


class PageTests(SynchronousTestCase):
    """docs/configuration.md says what is true."""

    text = PAGE.read_text(encoding="utf-8")

    def test_table(self) -> None:
        """Put C{markdown(rows(Config))} there when the model has changed."""
        self.assertEqual(self.text.partition("| option |")[2], self.table())

    def table(self) -> str:
        return markdown(rows(Config)).removeprefix("| option |")

    def test_example(self) -> None:
        """It can be used as it is, with the actions that there are."""
        found = re.search(r"```yaml\n(.*?)```", self.text, re.DOTALL)
        assert found is not None
        disk = Disk({"portmux.conf": found[1].encode()})
        kinds = registry()
        config = load(
            Inputs(read=disk.read, glob=disk.glob, registry=kinds, file="portmux.conf")
        ).config
        self.assertEqual(list(config.listeners), ["front", "discard"])

    def test_layers(self) -> None:
        """The settings that it shows do what it says."""
        text = 'listeners: {front: {bind: ["*:1"], close: }}'
        for environ, sets in [
            ({"PORTMUX__LISTENERS__FRONT__BIND__0": "'*:443'"}, ["log.level=warn"]),
            ({"PORTMUX__LOG__LEVEL": "warn"}, ['listeners.front.bind.0="*:443"']),
        ]:
            config = load(inputs(text, environ=environ, settings=sets)).config
            self.assertEqual(str(config.listeners["front"].bind[0].address), "*:443")
            self.assertEqual(config.log.level, "warn")
