"""
How a backend that fails is taken out, looked after, and taken back.

Times are seconds of the sessions' clock.
"""

from __future__ import annotations

import attrs


@attrs.frozen(slots=True)
class Ejection:
    """
    When a backend gets no more sessions for a while.

    @ivar errors: attempts to connect to it that have failed in a row.
    @ivar recheck: seconds until it is tried again.
    @ivar backoff: each check that fails doubles C{recheck}, up to these seconds;
        None: it stays.
    @ivar most: backends of a pool that may be ejected at a time; None: all but
        one, and where no other can be used, ejected ones are.
    """

    errors: int = 1
    recheck: float = 10.0
    backoff: float | None = None
    most: int | None = None


@attrs.define(eq=False, slots=True)
class Health:
    """
    What is known of a backend from the attempts to connect to it.

    @ivar errors: failed attempts since the last one that succeeded.
    @ivar last_error: when the last one failed.
    @ivar last_reason: why, in one clause.
    @ivar recheck_at: when an ejected backend is to be tried; None: it is not ejected.
    """

    errors: int = 0
    last_error: float | None = None
    last_reason: str = ""
    recheck_at: float | None = None
    _wait: float = 0.0

    @property
    def ejected(self) -> bool:
        return self.recheck_at is not None

    def failed(self, why: str, now: float) -> None:
        """An attempt has failed."""
        self.errors += 1
        self.last_error, self.last_reason = now, why

    def eject(self, rule: Ejection, now: float) -> None:
        """Give it no more sessions until a check succeeds."""
        self._wait = rule.recheck
        self.recheck_at = now + rule.recheck

    def postpone(self, rule: Ejection, now: float) -> None:
        """A check has failed."""
        if rule.backoff is None:
            self._wait = rule.recheck
        else:
            self._wait = max(rule.recheck, min(self._wait * 2, rule.backoff))
        self.recheck_at = now + self._wait

    def restore(self) -> None:
        """It can be connected to."""
        self.errors, self.recheck_at = 0, None
