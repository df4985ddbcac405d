"""What a protocol may know of requests beyond their frames."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol, runtime_checkable

from portmux.core.address import Address
from portmux.core.frame.framer import Frame


class Expert(Protocol):
    """
    Asked about each request of a multiplexer; one expert serves one multiplexer.

    A request is asked about in the order of these methods; which of them come
    depends on what becomes of it. Requests are told as they came from clients,
    answers as those clients will get them. Times are seconds.
    """

    def reply(
        self, request: Frame, client: Address, now: float, fresh: bool
    ) -> Frame | None:
        """
        @param fresh: the client has asked for a change before, so that nothing
            will do that is remembered.
        @return: the answer, when no target is needed for it: what is remembered,
            or a refusal; None: the request goes on.
        """

    def unit(self, request: Frame) -> str | None:
        """
        @return: the device that is meant, where a target stands for several: it is
            counted by itself, and does not stall the others when it is dead.
        """

    def target(self, request: Frame) -> int:
        """@return: which target it is for; 0 is the one that is always there."""

    def sharing(self, request: Frame) -> Hashable | None:
        """
        @return: requests of the same key may all have the answer to the first of
            them, while it waits or is under way; None: it goes by itself.
        """

    def sent(self, request: Frame, now: float) -> None:
        """It goes to the target now; perhaps not for the first time."""

    def answered(self, request: Frame, answer: Frame, now: float) -> None:
        """The target has answered; interim frames are not told."""

    def mute(self, answer: Frame) -> bool:
        """@return: the answer says that the device is not there, or says nothing."""

    def lost(self, request: Frame, now: float) -> None:
        """It was sent and has no answer: nobody knows what the target has done."""


@runtime_checkable
class Versed(Protocol):
    """A framer of a protocol that has experts."""

    @property
    def targets(self) -> Sequence[tuple[Address, ...]]:
        """What C{Expert.target} means from 1 on; each with its alternatives."""

    def expert(self) -> Expert:
        """@return: one for one multiplexer."""
