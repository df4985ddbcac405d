"""Tests of JSON as a source."""

from __future__ import annotations

import json as library

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.faults import Faults
from portmux.config.sources import json
from portmux.config.sources.place import DEEPEST
from portmux.config.tree import Entry, Items, Node, Origin, Scalar, Style, Table
from tests.config.kinds import told

FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def read(text: str) -> tuple[Node | None, list[str]]:
    faults = Faults()
    return json.parse("f", text, faults), told(faults)


def at(line: int, column: int) -> Origin:
    return Origin("f", line, column)


def plain(node: Node | None) -> object:
    """@return: the value as the standard library would read it."""
    if isinstance(node, Table):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Items):
        return [plain(value) for value in node.values]
    assert node is not None
    return node.text if node.style is Style.DOUBLE else library.loads(node.text)


class ReadTests(SynchronousTestCase):
    def test_places_and_styles(self) -> None:
        node, faults = read('{"a": [1, "x"],\n\t"b": null}')
        self.assertEqual(faults, [])
        a = Items(
            at(1, 7),
            (
                Scalar("1", at(1, 8), Style.TYPED),
                Scalar("x", at(1, 11), Style.DOUBLE),
            ),
        )
        self.assertEqual(
            node,
            Table(
                at(1, 1),
                {
                    "a": Entry(at(1, 2), a),
                    "b": Entry(at(2, 2), Scalar("null", at(2, 7), Style.TYPED)),
                },
            ),
        )

    def test_escapes(self) -> None:
        """Pairs of surrogates are one character, a slash may be escaped."""
        node, _ = read(r'"\ud83d\ude00\/\n\u00e9"')
        self.assertEqual(node, Scalar("\U0001f600/\n\xe9", at(1, 1), Style.DOUBLE))

    def test_duplicate_keys(self) -> None:
        node, faults = read('{"a": 1, "a": 2,\n"a": 3}')
        self.assertEqual(
            faults,
            [
                'f:1:10: the key "a" is there already in line 1, once is allowed',
                'f:2:1: the key "a" is there already in line 1, once is allowed',
            ],
        )
        self.assertIsInstance(node, Table)


class FaultTests(SynchronousTestCase):
    def test_strictly_json(self) -> None:
        """No comments, no commas at the end, no quotes of other kinds."""
        for text, fault in [
            ('{"a": 1,}', '1:9: is not JSON, "}" is not a key in double quotes'),
            ("[1,]", '1:4: is not JSON, "]" is not a value'),
            ('{"a" 1}', '1:6: is not JSON, "1" stands where ":" is needed'),
            ("{a: 1}", '1:2: is not JSON, "a" is not a key in double quotes'),
            ("{'a': 1}", "1:2: is not JSON, \"'a'\" is not a key in double quotes"),
            ("// x\n1", '1:1: is not JSON, "//" is not a value'),
            ('{"a": 1} x', "1:10: is not JSON, nothing is allowed behind its end"),
            ('{"a": 1 "b": 2}', '1:9: is not JSON, a string stands where "," or "}"'),
            ('{"a": 01}', '1:8: is not JSON, "1" stands where'),
            ('{"a": .5}', '1:7: is not JSON, ".5" is not a value'),
            ('{"a": NaN}', '1:7: is not JSON, "NaN" is not a value'),
            ('{"a": -Infinity}', '1:7: is not JSON, "-Infinity" is not a value'),
            ('{"a": True}', '1:7: is not JSON, "True" is not a value'),
            ("", "1:1: is not JSON, the end is not a value"),
            ('{"a":\n', "2:1: is not JSON, the end is not a value"),
            ('["a"', '1:5: is not JSON, the end stands where "," or "]" is needed'),
            ('{"a": "x', "1:7: is not JSON, unterminated string"),
            ('"a\nb"', "1:3: is not JSON, invalid control character"),
            (r'"\x"', "1:2: is not JSON, invalid \\"),
            (r'"\u12"', "1:3: is not JSON, invalid \\u"),
        ]:
            node, (told,) = read(text)
            self.assertIsNone(node)
            self.assertTrue(told.startswith(f"f:{fault}"), told)

    def test_depth(self) -> None:
        self.assertEqual(read("[" * DEEPEST + "]" * DEEPEST)[1], [])
        for text in ["[" * 100_000, '{"a":' * 5000]:
            _, (fault,) = read(text)
            self.assertIn("nested too deeply", fault)


class PropertyTests(SynchronousTestCase):
    @given(VALUES, st.sampled_from([None, 2, "\t"]), st.booleans())
    def test_what_a_library_writes(
        self, value: object, indent: int | str | None, ascii_only: bool
    ) -> None:
        text = library.dumps(value, indent=indent, ensure_ascii=ascii_only)
        node, faults = read(text)
        self.assertEqual(faults, [])
        self.assertEqual(plain(node), value)

    @given(st.text() | st.text(st.sampled_from('[]{}:,"\\u0123-+.eEtrufalsn \n\t')))
    def test_noise(self, text: str) -> None:
        """Read exactly when the standard library reads it, duplicate keys apart."""
        node, faults = read(text)
        try:
            value = library.loads(text, parse_constant=self.refuse)
        except (ValueError, RecursionError):
            self.assertIsNone(node)
            self.assertRegex(faults[0], r"^f:[1-9]\d*:[1-9]\d*: .")
        else:
            self.assertEqual(plain(node), value)

    def refuse(self, constant: str) -> None:
        raise ValueError(constant)
