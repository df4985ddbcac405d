"""What an engine has live, whoever has it in hand."""

from __future__ import annotations

from typing import Protocol

from portmux.core.session import Session


class Live(Protocol):
    """A session and its sockets, from accept to the last of them."""

    @property
    def session(self) -> Session:
        """Its counts are exact once the engine was told that all is over."""

    def expire(self) -> None:
        """The session's deadline may have passed."""

    def stop(self, how: str, reset: bool = True) -> None:
        """
        End it at once, for a reason of the operator's.

        @param how: the record's word for it.
        @param reset: both sides see a reset; else they see the end, and what one
            of them has not been sent yet, it is not.
        """
