"""
Read a file and those that it includes.

C{include} names files relative to the file that it stands in; C{*}, C{?} and
C{[...]} stand for as many as there are, in alphabetical order. Each is laid over
the file that names it, a later one over an earlier one: a drop-in wins.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

from portmux.config.expand import expand
from portmux.config.faults import Faults, quoted
from portmux.config.merge import overlay
from portmux.config.sources.syntax import Syntax, parse, recognise
from portmux.config.tree import Items, Node, Origin, Scalar, Style, Table, without

DEEPEST = 8
"""Files that include each other in a row; from taste."""

Read = Callable[[str], bytes]
"""Reads a file; raises OSError."""

Glob = Callable[[str], Iterable[str]]
"""Finds the files that a pattern means; none is no error."""

Names = tuple[str, ...]

_PATTERN = re.compile(r"[*?[]")

_NAMES = (Style.PLAIN, Style.QUOTED, Style.DOUBLE)


@attrs.frozen
class Reader:
    """
    @ivar environ: what C{${NAME}} stands for.
    @ivar faults: where faults and warnings go.
    """

    read: Read
    glob: Glob
    environ: Mapping[str, str]
    faults: Faults

    def file(self, name: str, syntax: Syntax | None = None) -> Table | None:
        """@return: the merged tree; None: a file cannot be used, see faults."""
        return self._file(Scalar(name, Origin(name)), name, (), syntax)

    def _file(
        self, named: Scalar, name: str, outer: Names, syntax: Syntax | None = None
    ) -> Table | None:
        inner = (*outer, posixpath.normpath(name))
        if inner[-1] in outer or len(outer) > DEEPEST:
            what = "includes itself" if inner[-1] in outer else "is included too deeply"
            self.faults.add(named.origin, f"{quoted(name)} {what}")
            return None
        try:
            data = self.read(name)
        except (OSError, ValueError) as wrong:  # ValueError: a NUL in the name
            what = getattr(wrong, "strerror", None) or str(wrong)
            subject = "" if str(named.origin) == name else f"{quoted(name)} "
            self.faults.add(named.origin, f"{subject}cannot be read: {what}")
            return None
        syntax = syntax or recognise(name, data)
        tree = parse(name, data, syntax, self.faults)
        if tree is None or syntax is not Syntax.PORTSPLIT:
            return None if tree is None else self._joined(tree, name, inner)
        # How the program ends is the business of the file that includes this one.
        return without(tree, "drain") if outer else tree

    def _joined(self, tree: Table, name: str, outer: Names) -> Table | None:
        """@return: the tree with all that it includes laid over it."""
        node = expand(tree, self.environ, self.faults)
        assert isinstance(node, Table)
        tree = without(node, "include")
        included = [
            self._file(named, found, outer)
            for named in self._includes(node)
            for found in self._found(
                posixpath.join(posixpath.dirname(name), named.text)
            )
        ]
        whole: Node = tree
        for each in included:
            if each is None:
                return None
            whole = overlay(whole, each)
        assert isinstance(whole, Table)
        return whole

    def _includes(self, tree: Table) -> Iterator[Scalar]:
        node = tree.get("include")
        if node is None:
            return
        for each in node.values if isinstance(node, Items) else (node,):
            if isinstance(each, Scalar) and each.text and each.style in _NAMES:
                yield each
            elif not isinstance(each, Scalar) or each.style is not Style.BROKEN:
                text = "is not a file's name, a name or a list of names is allowed"
                self.faults.add(each.origin, text, ("include",))

    def _found(self, pattern: str) -> list[str]:
        """@return: what the pattern means; a plain name means itself."""
        return sorted(self.glob(pattern)) if _PATTERN.search(pattern) else [pattern]
