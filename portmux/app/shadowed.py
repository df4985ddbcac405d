"""Warnings of routes that can never win, each with its place."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from portmux.config.faults import Faults
from portmux.config.load import Loaded
from portmux.config.tree import Origin, Table, nearest_node
from portmux.core.head import Matcher
from portmux.core.shadow import Shadow, shadows

MOST = 64
"""Routes of a listener that are judged while clients wait: each costs as much again
as those above it, all of these a fifth of a second at the most."""


@attrs.define(eq=False)
class Shadowed:
    """
    Judges one configuration after the other; a listener only when it is another.

    @ivar most: routes of a listener that are judged, of those that come first.
    """

    most: int | None = None
    _known: dict[str, tuple[list[Matcher], list[Shadow]]] = attrs.field(
        factory=dict, init=False
    )

    def warnings(self, found: Loaded) -> Sequence[str]:
        """@return: a line for each route that can never win."""
        faults = Faults()
        for name, listener in found.config.listeners.items():
            routes = listener.routes[: self.most]
            names = [route.name for route in routes]
            origins = [_origin(found.tree, name, index) for index in range(len(routes))]
            for shadow in self._shadows(name, [route.match for route in routes]):
                path = ("listeners", name, "routes", str(shadow.route))
                text = _warning(shadow, names, origins)
                faults.warn(origins[shadow.route], text, path)
        return faults.warnings

    def _shadows(self, name: str, matchers: list[Matcher]) -> Sequence[Shadow]:
        known = self._known.get(name)
        if known is None or known[0] != matchers:
            known = self._known[name] = (matchers, shadows(matchers))
        return known[1]


def _warning(shadow: Shadow, names: Sequence[str], origins: Sequence[Origin]) -> str:
    route = f'warning: route "{names[shadow.route]}"'
    if not shadow.by:
        return f"{route} can match nothing"
    above = ", ".join(f'"{names[index]}" ({origins[index]})' for index in shadow.by)
    take = "takes" if len(shadow.by) == 1 else "together take"
    return f"{route} can never win: {above} above it {take} all that it matches"


def _origin(tree: Table, listener: str, route: int) -> Origin:
    return nearest_node(tree, ("listeners", listener, "routes", str(route))).origin
