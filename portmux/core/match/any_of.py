"""Match what at least one of several matchers matches."""

from __future__ import annotations

from functools import reduce

import attrs

from portmux.core.head import Head, Matcher, Opens, Reason, Verdict, judge
from portmux.core.option import option
from portmux.core.registry import Registry


@attrs.frozen
class AnyOf:
    """Match when one matcher does; NO when all say NO."""

    matchers: tuple[Matcher, ...] = option("matchers; one must match", value=True)

    _key: object = attrs.field(factory=object, init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if not self.matchers:
            raise ValueError("there is no matcher, at least one is needed")

    def match(self, head: Head) -> Verdict:
        undecided = head.recall(self._key, lambda: list(self.matchers))
        still = []
        for matcher in undecided:
            verdict = judge(matcher, head)
            if verdict is Verdict.YES:
                return verdict
            if verdict is Verdict.MORE:
                still.append(matcher)
        undecided[:] = still  # a verdict is final, and asking again costs work
        return Verdict.MORE if still else Verdict.NO

    def why(self, head: Head) -> Reason:
        verdicts = [judge(matcher, head) for matcher in self.matchers]
        reasons = [matcher.why(head) for matcher in self.matchers]
        facts = {fact: None for reason in reasons for fact in reason.facts}
        for decisive in (Verdict.YES, Verdict.MORE):
            if decisive in verdicts:
                at = verdicts.index(decisive)
                return Reason(reasons[at].text, at, tuple(facts))
        text = "; ".join(reason.text for reason in reasons)
        return Reason(text, None, tuple(facts))

    def first(self) -> frozenset[int] | None:
        """Without a byte each part must still be open, so each must know its octets."""
        known = [m.first() if isinstance(m, Opens) else None for m in self.matchers]
        octets = [first for first in known if first is not None]
        if len(octets) < len(known):
            return None
        return reduce(frozenset.union, octets)


def register(registry: Registry) -> None:
    registry.matcher("any", AnyOf)
