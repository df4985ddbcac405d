"""The files that belong to a running program: its logs and the pid file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import attrs
from twisted.logger import Logger

from portmux.app import sinks
from portmux.app.output import AccessLog, Output, log_record, renderer
from portmux.app.pidfile import PidFile
from portmux.app.sinks import MessageFile, Syslog
from portmux.config.logs import Log
from portmux.config.model import Config
from portmux.core.asked import Asked
from portmux.core.record import Record
from portmux.errors import PortmuxError

_log = Logger()


@attrs.frozen(eq=False)
class Files:
    """
    Those of one configuration.

    @ivar reactor: gives C{IReactorTime}.
    @ivar own_pid_file: C{pid} is obeyed.
    @ivar directory: what their paths are relative to.
    @ivar output: obeys C{log.output}; None: the log is twistd's.
    @ivar messages: None: they go to standard error.
    @ivar access: None: records go where messages go.
    """

    reactor: Callable[[], Any]
    own_pid_file: bool
    directory: str
    output: Output | None = None
    messages: MessageFile | Syslog | None = None
    access: AccessLog | None = None
    pid: PidFile | None = None

    def record(self, record: Record | Asked) -> None:
        """Write it."""
        write = log_record if self.access is None else self.access
        write(record)

    def following(self, config: Config) -> Files:
        """
        Open what another configuration has; what stays where it is stays open.

        Neither set is closed by this: close the one that is not used, save what
        it shares with the other.

        @raise PortmuxError: one of them cannot be opened; then none is.
        """
        opened = attrs.evolve(self, messages=self._messages_of(config.log))
        try:
            opened = attrs.evolve(opened, access=self._access_of(config.log))
            return attrs.evolve(opened, pid=self._pid_of(config))
        except PortmuxError:
            opened.close(save=self)
            raise

    def obey(self, log: Log) -> None:
        """Write as a configuration says, from now on."""
        if self.output is not None:
            self.output.send_to(self.messages)
        if isinstance(self.messages, MessageFile):
            self.messages.rotate = log.rotate
        if self.access is not None:
            self.access.file.rotate = log.rotate
            self.access.write_as(renderer(log.format))

    def reopen(self) -> None:
        """The log files were moved away: go on in new ones."""
        if self.access is not None:
            self.access.reopen()
        if isinstance(self.messages, MessageFile):
            try:
                self.messages.reopen()
            except PortmuxError as error:
                _log.error("{error}; the old file stays in use", error=str(error))

    def end(self) -> Files:
        """@return: what stays open: where the last messages go."""
        left = attrs.evolve(self, access=None, pid=None)
        self.close(save=left)
        return left

    def close(self, save: Files | None = None) -> None:
        """@param save: leaves its files open."""
        for name in ("messages", "access"):
            file = getattr(self, name)
            if file is not None and file is not getattr(save, name, None):
                file.close()
        if self.pid is not None and (save is None or save.pid is not self.pid):
            self.pid.drop()

    def _messages_of(self, log: Log) -> MessageFile | Syslog | None:
        if self.output is None or log.output == "stderr":
            return None
        path = sinks.SYSLOG if log.file is None else self._path(log.file)
        kind = Syslog if log.file is None else MessageFile
        if isinstance(self.messages, kind) and self.messages.path == path:
            return self.messages
        if log.file is None:
            return Syslog(path)
        return MessageFile(path, "log", log.rotate)

    def _access_of(self, log: Log) -> AccessLog | None:
        if log.access is None:
            return None
        path = self._path(log.access)
        if self.access is not None and self.access.path == path:
            return self.access
        return AccessLog(path, renderer(log.format), self.reactor(), log.rotate)

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def _pid_of(self, config: Config) -> PidFile | None:
        if config.pid is None or not self.own_pid_file:
            return None
        path = self._path(config.pid)
        if self.pid is not None and self.pid.path == path:
            return self.pid
        fresh = PidFile(path)
        fresh.take()
        return fresh
