"""The command that shows what is shared request by request."""

from __future__ import annotations

from portmux.control import commands
from portmux.control.admin import Admin
from portmux.control.handling import handles
from portmux.control.reply import Reply, Row, listed
from portmux.core.counts import Histogram
from portmux.core.mux.tally import Tally


@handles(commands.Requests)
def requests(admin: Admin, command: commands.Requests) -> Reply:
    rows = [
        _row(f"{standing.name}/{name}", tally)
        for standing in admin.listeners().values()
        for name, tally in standing.policy.counts.muxes.items()
    ]
    return listed("Requests", rows)


def _row(route: str, tally: Tally) -> Row:
    results = tally.results
    good = ("answered", "shared", "replied", "unanswered", "left")
    return {
        "route": route,
        "connections": tally.open,
        "dialled": tally.dialled,
        "failures": tally.failures,
        "queued": tally.queued,
        "requests": sum(results.values()),
        "failed": sum(n for word, n in results.items() if word not in good),
        "repeated": tally.repeated,
        "unsolicited": tally.unsolicited,
        "waited": _mean(tally.waited),
        "answered": _mean(tally.answered),
    }


def _mean(seconds: Histogram) -> float:
    count = sum(seconds.counts)
    return round(seconds.total / count, 6) if count else 0.0
