"""Match every connection, at once."""

from __future__ import annotations

import attrs

from portmux.core.head import Head, Reason, Verdict
from portmux.core.registry import Registry


@attrs.frozen
class Always:
    """Match every connection, before its first byte."""

    def match(self, head: Head) -> Verdict:
        return Verdict.YES

    def why(self, head: Head) -> Reason:
        return Reason("every connection matches")


def register(registry: Registry) -> None:
    registry.matcher("always", Always)
