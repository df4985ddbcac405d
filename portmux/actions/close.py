"""End the connection."""

from __future__ import annotations

import attrs

from portmux.core.option import option
from portmux.core.plan import Closing
from portmux.core.registry import Registry


@attrs.frozen
class Close:
    """The client sees the end of the stream, or a reset."""

    reset: bool = option(
        "abort with RST instead of ending with FIN", default=False, example="true"
    )

    def plan(self) -> Closing:
        return Closing(self.reset)


def register(registry: Registry) -> None:
    registry.action("close", Close)
