"""Tests of YAML as a source."""

from __future__ import annotations

import yaml as library
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.faults import Faults
from portmux.config.sources import yaml
from portmux.config.sources.place import DEEPEST
from portmux.config.tree import Entry, Items, Node, Origin, Scalar, Style, Table
from tests.config.kinds import told


def read(text: str) -> tuple[Node | None, list[str]]:
    faults = Faults()
    return yaml.parse("f", text, faults), told(faults)


def at(line: int, column: int) -> Origin:
    return Origin("f", line, column)


class ReadTests(SynchronousTestCase):
    def test_places_and_styles(self) -> None:
        node, faults = read("a: 1\nb:\n  - 'x'\n  - \"y\"\nc: {d: }\n")
        self.assertEqual(faults, [])
        b = Items(
            at(3, 3),
            (
                Scalar("x", at(3, 5), Style.QUOTED),
                Scalar("y", at(4, 5), Style.DOUBLE),
            ),
        )
        d = Table(at(5, 4), {"d": Entry(at(5, 5), Scalar("", at(5, 7)))})
        self.assertEqual(
            node,
            Table(
                at(1, 1),
                {
                    "a": Entry(at(1, 1), Scalar("1", at(1, 4))),
                    "b": Entry(at(2, 1), b),
                    "c": Entry(at(5, 1), d),
                },
            ),
        )

    def test_scalars_stay_what_they_look_like(self) -> None:
        for text in ["on", "10:30", "0600", "001122", "1_000", "~", "2020-01-01"]:
            node, _ = read(f"[{text}]")
            assert isinstance(node, Items)
            self.assertEqual(node.values, (Scalar(text, at(1, 2)),))

    def test_blocks(self) -> None:
        node, _ = read("a: |\n  x\n  y\nb: >-\n  x\n  y\n")
        assert isinstance(node, Table)
        self.assertEqual(node.get("a"), Scalar("x\ny\n", at(1, 4), Style.QUOTED))
        self.assertEqual(node.get("b"), Scalar("x y", at(4, 4), Style.QUOTED))

    def test_nothing(self) -> None:
        """An empty file says nothing, which is no fault of YAML's."""
        for text in ["", "# x\n", "\n\n"]:
            node, faults = read(text)
            self.assertEqual(faults, [])
            assert isinstance(node, Table)
            self.assertEqual(node.entries, {})

    def test_aliases(self) -> None:
        node, faults = read("a: &x [1]\nb: *x\n")
        self.assertEqual(faults, [])
        assert isinstance(node, Table)
        self.assertEqual(node.get("a"), node.get("b"))

    def test_anchor_used_again(self) -> None:
        """An alias means the last one before it. YAML 1.2.2 section 7.1."""
        node, faults = read("a: &x [1]\nb: &x [2]\nc: *x\n")
        self.assertEqual(faults, [])
        assert isinstance(node, Table)
        self.assertEqual(node.get("c"), node.get("b"))

    def test_merge_keys_are_keys(self) -> None:
        """They are of YAML 1.1."""
        node, _ = read("<<: {a: 1}")
        assert isinstance(node, Table)
        self.assertEqual(list(node.entries), ["<<"])


class FaultTests(SynchronousTestCase):
    def test_quote_it(self) -> None:
        """What people forget to quote is named."""
        for text, place, hint in [
            ("bind: *:443", "1:7", '"*:443"'),
            ("bind: [*:443]", "1:8", '"*:443"'),
            ("a:\n- *.host", "2:3", '"*.host"'),
            ("a: *", "1:4", '"*"'),
            ("bind: [::1]:22", "1:8", '"[::1]:22"'),
            ("- [::1]:22", "1:4", '"[::1]:22"'),
            ("- [2001:db8::1]:22", "1:16", '"[2001:db8::1]:22"'),
            ("{x: ${A}}", "1:6", '"${A}"'),
            ("[a, x${A}:1]", "1:7", '"x${A}:1"'),
            ("x: @y", "1:4", '"@y"'),
            ("x: `y`", "1:4", '"`y`"'),
            ("x: %y", "1:4", '"%y"'),
            ("x: [:443]", "1:5", '":443"'),
        ]:
            node, faults = read(text)
            self.assertIsNone(node)
            (fault,) = faults
            self.assertTrue(fault.startswith(f"f:{place}: is not YAML, "), fault)
            self.assertTrue(fault.endswith(f"; quote it: {hint}"), fault)

    def test_other_hints(self) -> None:
        for text, place, hint in [
            ("a: b: c", "1:5", "without quotes?"),
            ("a:\n\t- b", "2:1", "indent with blanks"),
            (r'x: "\38"', "1:6", "in single quotes a backslash stays"),
            ("x: *foo", "1:4", "as text it needs quotes"),
            ("x: 'a", "1:6", "the quotes in line 1 are not closed"),
            ('a:\n  x: "b\n  y: c\n', "4:1", "the quotes in line 2 are not closed"),
            ("a: [b\nc: d\n", "2:2", '"[" in line 1 is not closed'),
            ("a: {b: c\nd: e\n", "2:2", '"{" in line 1 is not closed'),
            ("a: |\n x\ny\n", "4:1", "line 3 is neither a key nor text"),
            ("a:\n  b: 1\n c: 2", "3:2", "is it indented like the lines"),
            ("a: b\n- c", "2:1", "is it indented like the lines"),
        ]:
            node, (fault,) = read(text)
            self.assertIsNone(node)
            self.assertTrue(fault.startswith(f"f:{place}: "), fault)
            self.assertIn(hint, fault)

    def test_duplicate_keys(self) -> None:
        """All of them; the rest of the file is read."""
        node, faults = read("a: 1\nb: {c: 1, c: 2}\na: 3")
        self.assertEqual(
            faults,
            [
                'f:2:11: the key "c" is there already in line 2, once is allowed',
                'f:3:1: the key "a" is there already in line 1, once is allowed',
            ],
        )
        self.assertIsInstance(node, Table)

    def test_one_document(self) -> None:
        self.assertEqual(read("---\na: b\n...\n")[1], [])
        _, (fault,) = read("a: b\n---\nc: d")
        self.assertEqual(fault, "f:2:1: a second document starts, one is allowed")

    def test_tags(self) -> None:
        """Nothing is built by what a file asks for."""
        for text in ["a: !!python/name:os.system x", "a: !!int 3", "a: !x [1]"]:
            _, (fault,) = read(text)
            self.assertTrue(fault.startswith("f:1:4: the tag "), fault)

    def test_strange_keys(self) -> None:
        _, (fault,) = read("? [a]\n: b")
        self.assertIn("f:1:3: a key is a list or a mapping", fault)

    def test_strange_characters(self) -> None:
        _, (fault,) = read("a: b\nc: \x07")
        self.assertEqual(fault, "f:2:4: is not YAML, U+0007 may not stand in it")
        for text in [r'"\UFFFFFFFF"', "%YAML 1." + "9" * 5000 + "\n--- a"]:
            _, (fault,) = read(text)
            self.assertIn("is out of range", fault)

    def test_depth(self) -> None:
        self.assertEqual(read("[" * DEEPEST + "]" * DEEPEST)[1], [])
        for text in ["[" * 5000, "a: " + "[" * (DEEPEST + 1), "- " * 5000]:
            _, (fault,) = read(text)
            self.assertIn("nested too deeply", fault)

    def test_a_few_lines_stay_few(self) -> None:
        """Aliases of aliases are counted as what they stand for."""
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [
            f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)
        ]
        _, (fault,) = read("\n".join(lines))
        self.assertIn("is too large", fault)

    def test_alias_of_itself(self) -> None:
        _, (fault,) = read("a: &a [*a]")
        self.assertIn('"*a" is an alias of nothing', fault)


class FragmentTests(SynchronousTestCase):
    def test_values(self) -> None:
        """One value, all of it at one place."""
        place = Origin("--set a")
        faults = Faults()
        node = yaml.fragment(place, "[a, {b: 'c'}]", faults)
        inner = Table(place, {"b": Entry(place, Scalar("c", place, Style.QUOTED))})
        self.assertEqual(node, Items(place, (Scalar("a", place), inner)))
        self.assertEqual(yaml.fragment(place, "", faults), Scalar("", place))
        self.assertEqual(yaml.fragment(place, "{}", faults), Table(place))
        self.assertIsNone(yaml.fragment(place, "*:443", faults))
        (fault,) = told(faults)
        self.assertTrue(fault.startswith("--set a: is not YAML, "))
        self.assertIn('quote it: "*:443"', fault)

    def test_duplicates(self) -> None:
        faults = Faults()
        yaml.fragment(Origin("x"), "{a: 1, a: 2}", faults)
        self.assertEqual(
            told(faults), ['x: the key "a" is there already, once is allowed']
        )


def plain(node: Node | None) -> object:
    if isinstance(node, Table):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Items):
        return [plain(value) for value in node.values]
    return node and node.text


VALUES = st.recursive(
    st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


class PropertyTests(SynchronousTestCase):
    @given(VALUES)
    def test_what_a_library_writes(self, value: object) -> None:
        """Whatever is written as YAML is read as it was."""
        node, faults = read(library.safe_dump(value))
        self.assertEqual(faults, [])
        self.assertEqual(plain(node), value)

    @given(st.text() | st.text(st.sampled_from("[]{}:,&*!|>'\"%@`#-? \n\ta\\")))
    def test_noise(self, text: str) -> None:
        node, faults = read(text)
        self.assertEqual(node is None, bool(faults) and node is None)
        for fault in faults:
            self.assertRegex(fault, r"^f:[1-9]\d*:[1-9]\d*: .")
