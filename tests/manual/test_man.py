"""Tests of the man pages; man and mandoc check them in CI."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from manual import roff
from manual.man import man_pages
from portmux.app.build import registry
from portmux.config.load import Inputs, load

PAGES = man_pages(registry())


class ManPageTests(SynchronousTestCase):
    def test_names(self) -> None:
        self.assertEqual(sorted(PAGES), ["portmux.1", "portmux.8", "portmux.conf.5"])

    def test_all_is_filled_in(self) -> None:
        for name, text in PAGES.items():
            self.assertEqual(re.findall("@[A-Z]+@", text), [], name)

    def test_every_kind_is_told(self) -> None:
        kinds = registry()
        for name in (*kinds.matchers, *kinds.actions, *kinds.framers):
            self.assertIn(f"\n.SS {name}\n", PAGES["portmux.conf.5"])

    def test_macros(self) -> None:
        """Each line that starts with a dot is a request that exists."""
        known = {".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".I", ".BR", ".IR", ".RI"}
        known |= {".BI", ".RB", ".RS", ".RE", ".nf", ".fi", ".br", r".\""}
        for name, text in PAGES.items():
            for line in text.splitlines():
                if line.startswith((".", "'")):
                    self.assertIn(line.split(" ")[0], known, f"{name}: {line}")

    def test_example(self) -> None:
        """The file in portmux.conf(5) can be used."""
        text = PAGES["portmux.conf.5"].partition(".SH EXAMPLE\n.nf\n")[2]
        lines = text.partition(".fi\n")[0].replace(r"\-", "-")
        inputs = Inputs(
            read=lambda name: lines.encode(),
            glob=lambda pattern: [],
            registry=registry(),
            file="portmux.conf",
        )
        self.assertEqual(len(load(inputs).config.listeners["front"].routes), 2)


class RoffTests(SynchronousTestCase):
    def test_text(self) -> None:
        self.assertEqual(roff.text("use `--set`\nnow"), r"use \fB\-\-set\fR now")
        self.assertEqual(roff.text(r"a\0"), r"a\e0")

    def test_no_request(self) -> None:
        """Text that starts with a dot, or a quote, is text."""
        self.assertEqual(roff.text(".conf"), r"\&.conf")
        self.assertEqual(roff.typed("'x'"), r"\(aqx\(aq")

    def test_tagged(self) -> None:
        self.assertEqual(
            list(roff.tagged("-c", "One.", "Two.")), [".TP", r"\fB\-c\fR", "One. Two."]
        )

    def test_paragraphs(self) -> None:
        self.assertEqual(list(roff.paragraphs("a\nb\n\nc")), ["a b", ".PP", "c"])
