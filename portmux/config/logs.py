"""The options of what portmux writes; L{portmux.config.model} has all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from portmux.config import parts
from portmux.config.checks import PATH, Clashes, Given, hold, like, positive
from portmux.config.values import Name
from portmux.core.option import Octets, at_least, option

Level = Literal["debug", "info", "warn", "error"]


@attrs.frozen
class Rotate:
    """When a log file is turned over, and how many old ones stay."""

    size: Octets = option(
        "size that a file does not grow beyond",
        value=True,
        check=positive,
        example="10MB",
    )
    keep: int = option(
        "old files that stay: FILE.1, the youngest, to FILE.N",
        default=5,
        check=at_least(1),
        example="10",
    )


@attrs.frozen
class Log:
    """What is written where."""

    level: Level = option("least level that is written", default="info", example="warn")
    levels: Mapping[Name, Level] = option(
        "levels of parts of the program, such as net or services",
        factory=dict,
        example="{net: debug}",
    )
    format: Literal["text", "json"] = option(
        "lines of text, or of JSON", default="text", example="json"
    )
    output: str = option(
        "where messages go: stderr, syslog or a file, whose path holds a slash",
        default="stderr",
        check=like("stderr|syslog|.*/.*", "stderr, syslog or a path with a slash"),
        example="syslog",
    )
    access: str | None = option(
        "file of the records, one line for each session; none: where messages go",
        default=None,
        check=PATH,
        example="/var/log/portmux/access.log",
    )
    rotate: Rotate | None = option(
        "when portmux turns its log files over; none: others do, and send USR1",
        default=None,
    )

    def __attrs_post_init__(self) -> None:
        hold(self)

    @property
    def file(self) -> str | None:
        """The file of messages, if they go into one."""
        return None if self.output in ("stderr", "syslog") else self.output

    @staticmethod
    def conflicts(given: Given) -> Clashes:
        for part in given.get("levels") or ():
            if (wrong := parts.fault(part)) is not None:
                yield ("levels", part), wrong
        output, access = given.get("output"), given.get("access")
        if output is not None and output == access:
            yield ("access",), "is the file of messages, another one or none is allowed"
        files = access is not None or output not in ("stderr", "syslog", None)
        if given.get("rotate") is not None and not files:
            yield ("rotate",), "means nothing without a file of access or output"
