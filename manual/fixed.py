"""Numbers that are no options: limits and times that hold in any case."""

from __future__ import annotations

import attrs

from portmux.config import include, model
from portmux.config.quantities import show_octets, show_seconds
from portmux.config.sources import yaml
from portmux.core import counts, limits, session
from portmux.core.parse import clienthello, httphead
from portmux.core.regex import glushkov
from portmux.net import accept, answers, childlog, descriptors, dial, scrape


@attrs.frozen
class Fixed:
    """@ivar value: as it would be written in a file."""

    value: str
    meaning: str


def fixed() -> list[Fixed]:
    """@return: each with its value as it is in the code."""
    return [
        Fixed(show_octets(model.MOST_SNIFFED), "most that `sniff.limit` may be"),
        Fixed(show_octets(clienthello.MOST), "longest ClientHello that is read"),
        Fixed(show_octets(httphead.MOST), "longest HTTP head that is read"),
        Fixed(
            str(glushkov.MOST_POSITIONS),
            "characters that the regular expressions of one matcher may name",
        ),
        Fixed(
            str(limits.TABLE),
            "sources that a listener remembers for `per-source`, `rate` and `ban`",
        ),
        Fixed(
            show_seconds(session.LINGER),
            "time for the last octets to reach a peer whose session has ended",
        ),
        Fixed(
            show_seconds(dial.STAGGER),
            "wait before a name's next address is tried beside a slow one (RFC 8305)",
        ),
        Fixed(
            str(descriptors.SPARE),
            "descriptors that are kept free; accepting pauses before they are used",
        ),
        Fixed(
            show_seconds(accept.PAUSE),
            "wait before accepting is tried again when the system lacks descriptors",
        ),
        Fixed(
            show_seconds(answers.REQUEST),
            "time for an HTTP request to be whole, with `respond`",
        ),
        Fixed(
            str(childlog.LONGEST),
            "octets of a line that a program writes to standard error",
        ),
        Fixed(
            str(childlog.RATE),
            "lines in a second that are logged of one program; the others are counted",
        ),
        Fixed(
            str(counts.MOST),
            "routes with a cause, backends, and ends of one listener that are counted "
            "apart; any more are counted together",
        ),
        Fixed(str(scrape.MOST), "connections at a time to `metrics.prometheus`"),
        Fixed(
            show_seconds(scrape.PATIENCE),
            "time that a connection to `metrics.prometheus` may rest",
        ),
        Fixed(str(include.DEEPEST), "files that include each other in a row"),
        Fixed(str(yaml.MOST), "values in one file, aliases written out"),
    ]
