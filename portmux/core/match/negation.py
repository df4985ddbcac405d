"""Match what another matcher does not match."""

from __future__ import annotations

import attrs

from portmux.core.head import Head, Matcher, Opens, Reason, Verdict, judge
from portmux.core.option import option
from portmux.core.registry import Registry

_OPPOSITE = {
    Verdict.NO: Verdict.YES,
    Verdict.MORE: Verdict.MORE,
    Verdict.YES: Verdict.NO,
}


@attrs.frozen
class Not:
    """Match once the matcher has said NO; malformed bytes are a NO."""

    matcher: Matcher = option("the matcher that must not match", value=True)

    def match(self, head: Head) -> Verdict:
        return _OPPOSITE[judge(self.matcher, head)]

    def why(self, head: Head) -> Reason:
        reason = self.matcher.why(head)
        return Reason(f"not so: {reason.text}", None, reason.facts)

    def first(self) -> frozenset[int] | None:
        """Any octet may mean YES, where the other matcher needs one at all."""
        matcher = self.matcher
        known = matcher.first() if isinstance(matcher, Opens) else None
        return None if known is None else frozenset(range(256))


def register(registry: Registry) -> None:
    registry.matcher("not", Not)
