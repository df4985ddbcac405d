"""Do not wait for a device that has been silent for some time."""

from __future__ import annotations

import attrs

from portmux.core.counts import MOST


@attrs.frozen
class Rule:
    """
    @ivar failures: requests in a row without an answer.
    @ivar seconds: for which the device is not asked then; after that it gets one
        request, and again so many seconds if that fails.
    """

    failures: int
    seconds: float


@attrs.define(eq=False, slots=True)
class Breaker:
    """Times are seconds. No more than L{MOST} devices are known at a time."""

    _rule: Rule
    _failures: dict[str, int] = attrs.field(factory=dict, init=False)
    _until: dict[str, float] = attrs.field(factory=dict, init=False)

    def is_open(self, unit: str, now: float) -> bool:
        """@return: whether a device is not to be asked."""
        return now < self._until.get(unit, now)

    def admit(self, unit: str, now: float) -> bool:
        """@return: whether a request may go; after a pause it is one that tries."""
        if self.is_open(unit, now):
            return False
        if unit in self._until:
            self._until[unit] = now + self._rule.seconds
        return True

    def failed(self, unit: str, now: float) -> None:
        """A device did not answer in time."""
        if unit not in self._failures and len(self._failures) >= MOST:
            return
        count = self._failures[unit] = self._failures.get(unit, 0) + 1
        if count >= self._rule.failures:
            self._until[unit] = now + self._rule.seconds

    def answered(self, unit: str) -> None:
        """A device is there."""
        self._failures.pop(unit, None)
        self._until.pop(unit, None)
