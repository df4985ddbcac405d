"""The devices behind a target: which there are, who may be asked, how they fare."""

from __future__ import annotations

import attrs

from portmux.core.frame.framer import Frame
from portmux.core.mux.asker import Request
from portmux.core.mux.breaker import Breaker, Rule
from portmux.core.mux.expert import Expert
from portmux.core.mux.tally import Tally


@attrs.define(eq=False, slots=True)
class Devices:
    """Where no expert knows of any, there are none, and nothing is refused."""

    _expert: Expert | None
    _rule: Rule | None
    _tally: Tally
    _breaker: Breaker | None = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._breaker = None if self._rule is None else Breaker(self._rule)

    def is_dead(self, request: Request, now: float) -> bool:
        """@return: whether its device is not to be asked now."""
        breaker, unit = self._breaker, request.unit
        return breaker is not None and unit is not None and breaker.is_open(unit, now)

    def admits(self, request: Request, now: float) -> bool:
        """@return: whether a request may be sent, whose turn it is."""
        breaker, unit = self._breaker, request.unit
        return breaker is None or unit is None or breaker.admit(unit, now)

    def answered(self, request: Request, answer: Frame, now: float) -> None:
        """@param answer: as the client gets it."""
        expert, unit = self._expert, request.unit
        if expert is None:
            return
        expert.answered(request.frame, answer, now)
        if unit is None:
            return
        self._tally.unit(unit).answered.observe(now - request.departed)
        if self._breaker is not None:
            if expert.mute(answer):
                self._breaker.failed(unit, now)
            else:
                self._breaker.answered(unit)

    def silent(self, request: Request, now: float) -> None:
        """The answer has not come in time."""
        if self._breaker is not None and request.unit is not None:
            self._breaker.failed(request.unit, now)

    def lost(self, request: Request, now: float) -> None:
        """A request was sent, and its answer will not come."""
        if self._expert is not None:
            self._expert.lost(request.frame, now)
