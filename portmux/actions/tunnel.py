"""Forward the connections of a tunnel to its remotes."""

from __future__ import annotations

import attrs

from portmux.core.address import Address
from portmux.core.plan import Forwarding
from portmux.core.pool import Pool, Settings


@attrs.frozen
class Tunnel:
    """
    What a tunnel does; a file writes the tunnel in its place.

    @ivar name: the tunnel's local socket.
    """

    name: str
    remotes: tuple[Address, ...]
    settings: Settings

    def plan(self) -> Forwarding:
        return Forwarding(Pool.of(self.remotes, self.settings, self.name))
