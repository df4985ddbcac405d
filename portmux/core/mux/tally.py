"""What is counted of a multiplexer: plain numbers, read when somebody asks."""

from __future__ import annotations

from typing import Final

import attrs

from portmux.core.counts import OTHER, Histogram, kept

TIMES: Final = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0)
"""Seconds; from this machine to the usual timeout of answers (taste)."""


@attrs.define(eq=False, slots=True)
class Unit:
    """
    One device behind a target.

    @ivar results: its requests that are over, by what became of them.
    @ivar answered: seconds from sending a request to its answer.
    """

    results: dict[str, int] = attrs.field(factory=dict)
    answered: Histogram = attrs.field(factory=lambda: Histogram(TIMES))


@attrs.define(eq=False, slots=True)
class Tally:
    """
    @ivar results: requests that are over, by what became of them.
    @ivar queued: requests that wait now.
    @ivar open: connections to the target that are there now.
    @ivar dialled: connections that were asked for.
    @ivar failures: connections that failed, or were lost before any answer.
    @ivar repeated: requests that were sent once more.
    @ivar unsolicited: frames of the target that belonged to no request.
    @ivar waited: seconds from a request to its turn.
    @ivar answered: seconds from sending a request to its answer.
    @ivar units: by name, for protocols that have any.
    """

    results: dict[str, int] = attrs.field(factory=dict)
    queued: int = 0
    open: int = 0
    dialled: int = 0
    failures: int = 0
    repeated: int = 0
    unsolicited: int = 0
    waited: Histogram = attrs.field(factory=lambda: Histogram(TIMES))
    answered: Histogram = attrs.field(factory=lambda: Histogram(TIMES))
    units: dict[str, Unit] = attrs.field(factory=dict)

    def result(self, word: str, unit: str | None) -> None:
        """A request is over."""
        self.results[word] = self.results.get(word, 0) + 1
        if unit is not None:
            results = self.unit(unit).results
            results[word] = results.get(word, 0) + 1

    def unit(self, name: str) -> Unit:
        """@return: the device's; also after it was gone and came back."""
        return self.units.get(name) or kept(self.units, name, OTHER, Unit)
