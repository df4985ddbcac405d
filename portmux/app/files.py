"""The files that belong to a running program: access log and pid file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import attrs

from portmux.app.output import AccessLog, renderer
from portmux.app.pidfile import PidFile
from portmux.config.model import Config
from portmux.errors import PortmuxError


@attrs.frozen(eq=False)
class Files:
    """
    Those of one configuration.

    @ivar reactor: gives C{IReactorTime}.
    @ivar own_pid_file: C{pid} is obeyed.
    @ivar directory: what their paths are relative to.
    @ivar access: None: records go where messages go.
    """

    reactor: Callable[[], Any]
    own_pid_file: bool
    directory: str
    access: AccessLog | None = None
    pid: PidFile | None = None

    def following(self, config: Config) -> Files:
        """
        Open what another configuration has; what stays where it is stays open.

        Neither set is closed by this: close the one that is not used, save what
        it shares with the other.

        @raise PortmuxError: one of them cannot be opened; then none is.
        """
        access = self._access_of(config)
        try:
            pid = self._pid_of(config)
        except PortmuxError:
            if access is not None and access is not self.access:
                access.close()
            raise
        return attrs.evolve(self, access=access, pid=pid)

    def close(self, save: Files | None = None) -> None:
        """@param save: leaves its files open."""
        if self.access is not None and (save is None or save.access is not self.access):
            self.access.close()
        if self.pid is not None and (save is None or save.pid is not self.pid):
            self.pid.drop()

    def _access_of(self, config: Config) -> AccessLog | None:
        if config.log.access is None:
            return None
        path = os.path.join(self.directory, config.log.access)
        if self.access is not None and self.access.path == path:
            return self.access
        return AccessLog(path, renderer(config.log.format), self.reactor())

    def _pid_of(self, config: Config) -> PidFile | None:
        if config.pid is None or not self.own_pid_file:
            return None
        path = os.path.join(self.directory, config.pid)
        if self.pid is not None and self.pid.path == path:
            return self.pid
        fresh = PidFile(path)
        fresh.take()
        return fresh
