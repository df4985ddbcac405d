"""The identification of an SSH client, beside a regular expression of Python's."""

from __future__ import annotations

import re

from fuzz.material import Material, require, seeds
from portmux.core.head import Verdict, judge
from portmux.core.match.ssh import Ssh
from portmux.testing import head_of, trickle, verdicts
from tests.openings import OPENINGS, named

SEEDS = seeds(1, [OPENINGS[name] for name in sorted(named("ssh"))])
SEEDS += seeds(1, (b"SSH-1.99-x\n", b"SSH-1.5-y\r\n", b"SSH-2.0\n"))

_OPENING = re.compile(rb"SSH-(2\.0|1\.[0-9]{1,2})-")

_LONGEST = 64


def check(data: bytes) -> None:
    matcher = Ssh()
    pieces = Material(data).pieces()
    head = head_of()
    for piece in pieces:
        head.data += piece
        verdict = judge(matcher, head)
        matches = _OPENING.match(head.data) is not None
        require((verdict is Verdict.YES) == matches, "verdict", verdict, head.data)
        require(verdict is judge(matcher, head_of(bytes(head.data))), "cut", verdict)
        reason = matcher.why(head)
        facts = "".join(fact for _, fact in reason.facts)
        require((reason.text + facts).isprintable(), "reason", reason)
    verdicts(matcher, bytes(head.data[:_LONGEST]))
    work = trickle(matcher, bytes(head.data))
    require(work < 10_000, "too much work", work)
