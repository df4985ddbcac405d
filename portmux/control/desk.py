"""What all clients of control have in common."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from portmux.control.admin import Admin
from portmux.control.commands import TABLES
from portmux.control.spell import Command
from portmux.control.turns import Turns
from portmux.core.token import is_token


@attrs.define(eq=False)
class Desk:
    """
    Changes when a configuration comes into force.

    @ivar commands: which there are, see L{TABLES}.
    @ivar token: what everybody has to say who is not trusted; None: nobody.
    @ivar hosts: names by which HTTP clients may call us.
    @ivar turns: of all clients, whose commands are carried out one by one.
    """

    admin: Admin
    commands: str = "all"
    token: bytes | None = None
    hosts: Sequence[str] = ()
    turns: Turns = attrs.field(factory=Turns)

    @property
    def table(self) -> tuple[Command, ...]:
        return TABLES[self.commands]

    def knows(self, token: str) -> bool:
        """@return: whether this is the token, after as long as if it were not."""
        return self.token is None or is_token(token, self.token)
