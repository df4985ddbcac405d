"""What the program is given by whoever starts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import attrs

from portmux.app.output import Output
from portmux.app.signals import Told
from portmux.config.model import Config
from portmux.config.tree import Table


@attrs.frozen
class Surroundings:
    """
    @ivar reactor: asked for it once the process has forked.
    @ivar environ: of the process.
    @ivar load: reads the configuration again, with all its layers.
    @ivar configured: told of each configuration that is in force.
    @ivar obey: has signals tell the program what to do.
    @ivar own_pid_file: C{pid} is obeyed; twistd has one of its own.
    @ivar refuse: tells why the program cannot start, and ends it.
    @ivar tree: what the configuration is read from, anew, with all its layers.
    @ivar output: C{log.output} is obeyed by it; None: the log is twistd's.
    """

    reactor: Callable[[], Any]
    environ: Mapping[str, str]
    load: Callable[[], Config]
    configured: Callable[[Config], None]
    obey: Callable[[Told, Any], None]
    own_pid_file: bool
    refuse: Callable[[str], NoReturn]
    output: Output | None = None
    tree: Callable[[], Table] | None = None
