"""Match connections by the address they came in at."""

from __future__ import annotations

import attrs

from portmux.core.head import Head, Reason, Verdict, printable
from portmux.core.network import Network, Ports, Selection
from portmux.core.option import option
from portmux.core.pattern import some
from portmux.core.registry import Registry


@attrs.frozen
class Local:
    """Match the address and port the client connected to, before the first byte."""

    address: tuple[Network, ...] = option(
        "addresses, networks or ranges; any one is enough",
        default=(),
        value=True,
        check=some,
        example="10.0.0.0/8",
    )
    port: tuple[Ports, ...] = option(
        "ports or ranges of ports; any one is enough",
        default=(),
        check=some,
        example="1-1023",
    )
    _chosen: Selection = attrs.field(init=False, eq=False, repr=False)

    @_chosen.default
    def _choose(self) -> Selection:
        return Selection(self.address, self.port)

    def match(self, head: Head) -> Verdict:
        return Verdict.of(head.local in self._chosen)

    def why(self, head: Head) -> Reason:
        where = printable(str(head.local))
        chosen = "is" if head.local in self._chosen else "is not"
        return Reason(f"local {where} {chosen} among those chosen")


def register(registry: Registry) -> None:
    registry.matcher("local", Local)
