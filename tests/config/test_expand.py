"""Tests of C{${NAME}}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.expand import expand, literal
from portmux.config.faults import Faults
from portmux.config.tree import Items, Origin, Scalar, Style, table
from tests.config.kinds import faults_of, inputs, told

HERE = Origin("f", 1, 2)
ENVIRON = {"A": "x", "EMPTY": "", "PORT": "22"}


class ExpandTests(SynchronousTestCase):
    def expand(self, text: str, style: Style = Style.PLAIN) -> str:
        faults = Faults()
        node = expand(Scalar(text, HERE, style), ENVIRON, faults)
        self.assertEqual(told(faults), [])
        assert isinstance(node, Scalar)
        self.assertIs(node.style, style)
        return node.text

    def test_replaced(self) -> None:
        for text, value in [
            ("${A}", "x"),
            ("${A}${A}", "xx"),
            ("a${A}b", "axb"),
            ("${EMPTY}", ""),
            ("${NONE:-y}", "y"),
            ("${NONE:-}", ""),
            ("${EMPTY:-y}", "y"),
            ("${A:-y}", "x"),
            ("$${A}", "${A}"),
            ("$${", "${"),
            ("$A $ {", "$A $ {"),
            ("$$${A}", "$${A}"),
        ]:
            self.assertEqual(self.expand(text), value, text)
            self.assertEqual(self.expand(text, Style.DOUBLE), value, text)

    def test_once(self) -> None:
        """What is put in is not looked at again."""
        faults = Faults()
        node = expand(Scalar("${B}", HERE), {"B": "${A}"}, faults)
        self.assertEqual(node, Scalar("${A}", HERE))

    def test_everywhere(self) -> None:
        node = table(HERE, a=Items(HERE, (Scalar("${A}", HERE),)))
        expected = table(HERE, a=Items(HERE, (Scalar("x", HERE),)))
        self.assertEqual(expand(node, ENVIRON, Faults()), expected)

    def test_faults(self) -> None:
        """Each is told once, with its path; the scalar is broken then."""
        faults = Faults()
        node = table(HERE, a=Items(HERE, (Scalar("${AA} ${1} ${A", HERE),)))
        broken = expand(node, ENVIRON, faults)
        lines = told(faults)
        self.assertEqual(len(lines), 3)
        self.assertTrue(all(line.startswith("f:1:2: a.0: ") for line in lines))
        self.assertIn("${AA} is not set", lines[0])
        assert not isinstance(broken, Scalar | Items)
        items = broken.get("a")
        assert isinstance(items, Items)
        self.assertIs(getattr(items.values[0], "style", None), Style.BROKEN)

    def test_a_fault_is_told_once(self) -> None:
        """Not again as a wrong value."""
        text = "drain: ${X}\nlisteners: {a: {bind: '*:${PORT}', close: }}"
        (fault,) = faults_of(inputs(text, environ=ENVIRON))
        self.assertIn("portmux.yaml:1:8: drain: ${X} is not set", fault)

    def test_read_as_the_scalar_would_be(self) -> None:
        """A number may come from the environment, in quotes too."""
        text = (
            'listeners: {a: {bind: "*:${PORT}", close: , '
            'limits: {connections: "${PORT}"}}}\ndrain: ${NONE:-none}'
        )
        self.assertEqual(faults_of(inputs(text, environ=ENVIRON)), [])

    @given(st.text(st.sampled_from("$${}:-A ")) | st.text())
    def test_literal(self, text: str) -> None:
        """Written literally, any text comes back, and noise never raises."""
        expand(Scalar(text, HERE), ENVIRON, Faults())
        self.assertEqual(self.expand(literal(text)), text)
