"""Every word that can stand in a record is explained, and no other."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from manual.words import CAUSES, ENDS, FIELDS
from portmux.core.address import Host
from portmux.core.record import Record, as_json, as_text
from portmux.core.sniff import Cause

PACKAGE = Path(__file__).parents[2] / "portmux"

SAYING = {"end", "served", "conclude", "stop"}
"""Methods whose first argument is how a session ends."""

SAYING_OF_ANOTHER = {"hang_up", "Failure"}
"""What is given how a session ends as its second argument."""

KEPT = ".failure"
"""Where it waits until the session asks for it."""


def record() -> Record:
    """@return: one in which no field is empty."""
    address = Host("192.0.2.1", 5)
    return Record(
        *(0.0, 1, "front", "ssh", 0, "match", address, address, "b", 1, 2, 3, 0.1, 0.2),
        end="done",
        detail="some",
        facts=(("sni", "example.org"),),
        hint="explain",
        queued=1.5,
    )


def said() -> Iterator[str]:
    """@return: the words that the code gives as a session's end."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_bytes())
        constants = dict(assigned(tree))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and call.args:
                called = ast.unparse(call.func).rpartition(".")
                if called[1] and called[2] in SAYING:
                    of_another = call.args[
                        1:2
                    ]  # if the first one tells whose end it is
                    found = list(texts(call.args[0], constants))
                    yield from found or (
                        word
                        for each in of_another
                        for word in texts(each, constants)
                        if word  # else it tells no more about an end
                    )
                elif called[2] in SAYING_OF_ANOTHER and len(call.args) > 1:
                    yield from texts(call.args[1], constants)
            elif isinstance(call, ast.Assign) and is_kept(call.targets[0]):
                yield from texts(call.value, constants)


def is_kept(target: ast.expr) -> bool:
    return ast.unparse(target).endswith(KEPT)


def assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """@return: a module's constants, by name."""
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            yield ast.unparse(node.target), node.value


def texts(node: ast.expr, constants: dict[str, ast.expr]) -> Iterator[str]:
    if isinstance(node, ast.Starred):
        found = constants.get(ast.unparse(node.value))
        if isinstance(found, ast.Tuple):
            yield from texts(found.elts[0], constants)
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body, constants)
        yield from texts(node.orelse, constants)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


class WordTests(SynchronousTestCase):
    def test_fields(self) -> None:
        """They are those of a record, in the order of a line of text."""
        told = set(json.loads(as_json(record())))
        self.assertEqual(told, set(FIELDS))
        line = as_text(record())
        names = [name for name in FIELDS if name not in ("time", "facts")]
        places = [line.index(f" {name}=") for name in names]
        self.assertEqual(places, sorted(places))

    def test_causes(self) -> None:
        causes = {cause.value for cause in Cause}
        self.assertEqual(set(CAUSES), causes | {"refused", "-"})

    def test_ends(self) -> None:
        """The limits make words of their own; all others stand in the code."""
        limits = {word for word in ENDS if word.startswith("limit-")}
        found = set(said()) - {"limit-route-connections"}
        self.assertEqual(set(ENDS) - limits, found)

    def test_limits(self) -> None:
        """What a gate refuses with is the end's second part."""
        source = (PACKAGE / "core" / "limits.py").read_text()
        returned = {
            node.value.value
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Return)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        }
        told = {f"limit-{word}" for word in returned}
        listed = {word for word in ENDS if word.startswith("limit-")}
        self.assertEqual(listed, told | {"limit-route-connections"})
