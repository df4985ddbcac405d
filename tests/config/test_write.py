"""Tests of trees written as portmux.conf."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.expand import expand
from portmux.config.faults import Faults
from portmux.config.load import load
from portmux.config.sources import yaml
from portmux.config.tree import Entry, Items, Node, Origin, Scalar, Style, Table
from portmux.config.write import write
from tests.config.kinds import inputs, loaded, told
from tests.config.test_load import GOOD

HERE = Origin("f", 3, 4)

TEXTS = st.one_of(
    st.text(),
    st.text(st.sampled_from(" \n\t\r\"'\\${}:#-|>é\x85\u2028\ufeff\0a")),
    st.sampled_from(
        ["null", "~", "", "true", "none", "*:443", "[::1]:22", "- a", "a: b"]
    ),
)
QUOTED = TEXTS.map(lambda text: Scalar(text, HERE, Style.QUOTED))
PLAIN = st.sampled_from(["null", "~", "", "none", "1"]).map(lambda t: Scalar(t, HERE))


def tables(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Table]:
    entries = st.dictionaries(TEXTS, inner.map(lambda node: Entry(HERE, node)))
    return entries.map(lambda found: Table(HERE, found))


def lists(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Items]:
    return st.lists(inner).map(lambda found: Items(HERE, tuple(found)))


NODES: st.SearchStrategy[Node] = st.recursive(
    QUOTED | PLAIN, lambda inner: tables(inner) | lists(inner), max_leaves=12
)


def plain(node: Node | None) -> object:
    """@return: what a tree says, without its places."""
    if isinstance(node, Table):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Items):
        return [plain(value) for value in node.values]
    return node and (node.text, node.null)


def read(text: str) -> Node:
    faults = Faults()
    node = yaml.parse("f", text, faults)
    assert node is not None, (text, told(faults))
    return expand(node, {}, faults)


class WriteTests(SynchronousTestCase):
    def test_shape(self) -> None:
        """Blocks, and quotes only where they help."""
        text = (
            "listeners:\n"
            "  front:\n"
            "    bind:\n"
            '      - "*:443"\n'
            "      - address: unix:/run/x\n"
            "        mode: 0660\n"
            "    routes:\n"
            "      - name: vpn\n"
            "        match:\n"
            "          prefix:\n"
            "            - '\\00\\0e'\n"
            "            - hex: 000e39\n"
            "        close: {}\n"
            "    limits: {}\n"
            "drain: none\n"
            "pid: $${X}\n"
        )
        node = read(text)
        assert isinstance(node, Table)
        expected = text.replace("unix:/run/x", '"unix:/run/x"')
        expected = expected.replace("$${X}", '"$${X}"')
        self.assertEqual(write(node), expected)

    def test_notes(self) -> None:
        """Behind each value, also of several lines."""
        node = read('a: [1, {b: }]\nc: {}\nd: "é\\nx"\n')
        assert isinstance(node, Table)
        self.assertEqual(
            write(node, str),
            "a:\n"
            "  - 1  # f:1:5\n"
            "  - b:   # f:1:11\n"
            "c: {}  # f:2:4\n"
            "d: |2-  # f:3:4\n"
            "  é\n"
            "  x\n",
        )

    def test_nothing(self) -> None:
        self.assertEqual(write(Table(HERE)), "{}\n")

    @given(tables(NODES))
    def test_is_read_as_the_same(self, tree: Table) -> None:
        self.assertEqual(plain(read(write(tree))), plain(tree))

    @given(tables(NODES))
    def test_notes_change_nothing(self, tree: Table) -> None:
        self.assertEqual(plain(read(write(tree, str))), plain(tree))

    def test_configurations(self) -> None:
        """What is written decodes to an equal configuration, from every syntax."""
        for name, text in GOOD.items():
            before = loaded(text, name)
            after = loaded(write(before.tree))
            self.assertEqual(after.config, before.config)

    def test_octets(self) -> None:
        """A byte string keeps its octets, also beside line ends and from 80 on."""
        body = "'''\u00e9\n\\00\n\\ff'''"
        text = f"[listeners.a]\nbind = '*:1'\nrespond = {body}\n"
        before = loaded(text, "p.toml")
        self.assertEqual(loaded(write(before.tree)).config, before.config)

    def test_variables_stay_replaced(self) -> None:
        text = "listeners: {a: {bind: '*:1', close: }}\npid: $${A}${A}"
        before = load(inputs(text, environ={"A": "/x"}))
        self.assertEqual(before.config.pid, "${A}/x")
        self.assertEqual(loaded(write(before.tree)).config, before.config)
