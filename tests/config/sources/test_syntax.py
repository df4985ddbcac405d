"""Tests of how a file's syntax is recognised."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.faults import Faults
from portmux.config.sources.syntax import Syntax, parse, recognise
from portmux.config.tree import Table
from tests.config.kinds import told


class RecogniseTests(SynchronousTestCase):
    def test_by_suffix(self) -> None:
        """It says more than the content."""
        for name, syntax in [
            ("a.toml", Syntax.TOML),
            ("a.json", Syntax.JSON),
            ("a.yaml", Syntax.YAML),
            ("a.yml", Syntax.YAML),
        ]:
            self.assertIs(recognise(name, b"bind = x"), syntax)

    def test_by_content(self) -> None:
        """The first line that is neither empty nor a comment decides."""
        for data, syntax in [
            (b'{"a": 1}', Syntax.JSON),
            (b"\xef\xbb\xbf\n  {", Syntax.JSON),
            (b"# x = 1\n\nbind = 1.2.3.4:5", Syntax.PORTSPLIT),
            (b"# x: y\r\r\n[web]\r\n", Syntax.PORTSPLIT),
            (b"[my web]", Syntax.PORTSPLIT),
            (b"timeout=3", Syntax.PORTSPLIT),
            (b"listeners:\n  a: {}", Syntax.YAML),
            (b"# {\nlisteners: {a: b=c}", Syntax.YAML),
            (b"- a = b", Syntax.YAML),
            (b"[a, b]: c", Syntax.YAML),
            (b"---\na: b", Syntax.YAML),
            (b"", Syntax.YAML),
            (b"# only this", Syntax.YAML),
        ]:
            self.assertIs(recognise("portmux.conf", data), syntax, data)


class ParseTests(SynchronousTestCase):
    def read(
        self, data: bytes, syntax: Syntax = Syntax.YAML
    ) -> tuple[object, list[str]]:
        faults = Faults()
        return parse("f", data, syntax, faults), told(faults)

    def test_each_syntax(self) -> None:
        for data, syntax in [
            (b"a: b", Syntax.YAML),
            (b"a = 1", Syntax.TOML),
            (b'{"a": 1}', Syntax.JSON),
        ]:
            tree, faults = self.read(data, syntax)
            assert isinstance(tree, Table)
            self.assertEqual((list(tree.entries), faults), (["a"], []))
        tree, _ = self.read(b"bind = 127.0.0.1:1", Syntax.PORTSPLIT)
        assert isinstance(tree, Table)
        self.assertIn("listeners", tree.entries)

    def test_byte_order_mark(self) -> None:
        tree, faults = self.read(b"\xef\xbb\xbfa: b")
        assert isinstance(tree, Table)
        self.assertEqual((list(tree.entries), faults), (["a"], []))

    def test_not_utf8(self) -> None:
        """The column counts characters, the octet is named."""
        for syntax in (Syntax.YAML, Syntax.TOML, Syntax.JSON):
            tree, faults = self.read("é\né: ".encode() + b"\xff", syntax)
            self.assertIsNone(tree)
            expected = "f:2:4: the octet ff is not UTF-8, which files must be in"
            self.assertEqual(faults, [expected])

    def test_utf16(self) -> None:
        """What some editors write is called by its name."""
        for codec, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
            tree, faults = self.read(mark + "a: b".encode(codec))
            self.assertIsNone(tree)
            expected = "f:1:1: is UTF-16, not UTF-8, which files must be in"
            self.assertEqual(faults, [expected])

    def test_not_a_mapping(self) -> None:
        for data, what in [(b"- a", "a list"), (b"a:b", "text")]:
            tree, (fault,) = self.read(data)
            self.assertIsNone(tree)
            self.assertIn(f"f:1:1: is {what}, a mapping", fault)
        tree, faults = self.read(b"~")
        self.assertEqual(faults, [])
        self.assertIsInstance(tree, Table)

    @given(st.binary(), st.sampled_from(Syntax))
    def test_noise(self, data: bytes, syntax: Syntax) -> None:
        recognise("f", data)
        tree, faults = self.read(data, syntax)
        self.assertTrue(tree is not None or faults)
