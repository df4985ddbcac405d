"""The whole program as one service: start, reload, drain, stop."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import attrs
from twisted.application.service import MultiService
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from portmux.app import build, signals
from portmux.app.output import AccessLog, log_record, renderer
from portmux.app.pidfile import PidFile
from portmux.app.sockets import Sockets
from portmux.config.model import Config
from portmux.core.limits import Count, Gate
from portmux.core.record import Record
from portmux.errors import ConfigError, PortmuxError
from portmux.net.descriptors import Budget, raise_limit
from portmux.net.engine import Engine
from portmux.services.listener import ListenerService


@attrs.frozen
class Surroundings:
    """
    What the program is given by whoever starts it.

    @ivar reactor: asked for it once the process has forked.
    @ivar environ: of the process.
    @ivar load: reads the configuration again, with all its layers.
    @ivar configured: told of each configuration that is in force.
    @ivar own_pid_file: C{pid} is obeyed; twistd has one of its own.
    @ivar refuse: tells why the program cannot start, and ends it.
    """

    reactor: Callable[[], Any]
    environ: Mapping[str, str]
    load: Callable[[], Config]
    configured: Callable[[Config], None]
    own_pid_file: bool
    refuse: Callable[[str], NoReturn]


class Portmux(MultiService):
    """Listeners come and go with the configuration; the engine stays."""

    _log = Logger()
    engine: Engine

    def __init__(self, config: Config, around: Surroundings) -> None:
        super().__init__()
        self.config = config
        self._around = around
        self._directory = os.getcwd()  # paths mean the same after a chdir
        self._whole = Count(config.limits.connections)
        self._gates: dict[str, Gate] = {}
        self._access: AccessLog | None = None
        self._pid: PidFile | None = None
        self._sockets = Sockets(around.environ)
        self._cut: IDelayedCall | None = None
        self._draining = False

    # -- start

    def privilegedStartService(self) -> None:
        """Open what may need rights that are given up afterwards."""
        try:
            self._open()
        except PortmuxError as error:
            self._around.refuse(str(error))
        super().privilegedStartService()

    def _open(self) -> None:
        """@raise PortmuxError: something cannot be opened; nothing is left open."""
        raise_limit()
        reactor = self._around.reactor()
        self._access = self._open_access(self.config)
        self.engine = Engine(reactor, Budget.of_process(), self._ended)
        for name, listener in self.config.listeners.items():
            self._add_listener(name, listener)
        self._sockets.apply(build.listenings(self.config), self._services())
        try:
            self._pid = self._take_pid(self.config)
        except PortmuxError:
            self._sockets.close()
            raise

    def startService(self) -> None:
        super().startService()
        self.engine.reactor.callWhenRunning(signals.install, self, self.engine.reactor)
        self._around.configured(self.config)
        count = len(self.config.listeners)
        self._log.info("portmux runs with {count} listener(s)", count=count)

    def stopService(self) -> Any:
        """What is still live is cut; the last records are written."""
        stopped = super().stopService()
        for front in list(self.engine.live):
            front.stop("stopped")
        self.engine.deadlines.stop()
        if self._access is not None:
            self._access.close()
            self._access = None
        if self._pid is not None:
            self._pid.drop()
        return stopped

    # -- reload

    def reload(self) -> None:
        """Read the configuration again; a fault changes nothing and is told."""
        try:
            fresh = self._around.load()
            access = self._open_access(fresh)
            self._apply(fresh)
        except ConfigError as error:
            for fault in error.faults:
                self._log.error("{fault}", fault=fault)
            self._log.error("not reloaded: the configuration has faults")
            return
        except PortmuxError as error:
            self._log.error("not reloaded: {error}", error=str(error))
            return
        self._access, before = access, self._access
        if before is not None and before is not access:
            before.close()
        self.config = fresh
        self._around.configured(fresh)
        self._log.info("reloaded: {count} listener(s)", count=len(fresh.listeners))

    def _apply(self, fresh: Config) -> None:
        pid = self._take_pid(fresh)
        added = [name for name in fresh.listeners if name not in self.config.listeners]
        gone = [name for name in self.config.listeners if name not in fresh.listeners]
        for name in added:
            self._add_listener(name, fresh.listeners[name])
        try:
            self._sockets.apply(build.listenings(fresh), self._services())
        except PortmuxError:
            for name in added:
                self._remove_listener(name)
            if pid is not None and pid is not self._pid:
                pid.drop()
            raise
        for name in gone:
            self._remove_listener(name)
        for name, listener in fresh.listeners.items():
            if listener != self.config.listeners.get(name):
                gate = self._gates[name]
                gate.limits = build.limits(listener)
                before = self._services()[name].policy
                policy = build.policy(name, listener, gate, before)
                self._services()[name].policy = policy
        self._whole.most = fresh.limits.connections
        if self._pid is not None and pid is not self._pid:
            self._pid.drop()
        self._pid = pid

    def rotate(self) -> None:
        """The log files were moved away: go on in new ones."""
        if self._access is not None:
            self._access.reopen()

    # -- the end

    def drain(self) -> None:
        """Accept no more, let live sessions end; asked again, stop at once."""
        if self._draining:
            self._finish()
            return
        self._draining = True
        for service in self._services().values():
            service.stopService()
        live = len(self.engine.live)
        if not live:
            self._finish()
            return
        self._log.info("draining {live} session(s); again to stop now", live=live)
        self.engine.idle = self._finish
        if self.config.drain is not None:
            reactor = self.engine.reactor
            self._cut = reactor.callLater(self.config.drain, self._finish)

    def _finish(self) -> None:
        self.engine.idle = None
        if self._cut is not None and self._cut.active():
            self._cut.cancel()
        for front in list(self.engine.live):
            front.stop("drained")
        self.engine.tasks.cancel().addBoth(lambda _: self.engine.reactor.stop())

    # -- parts

    def _services(self) -> dict[str, ListenerService]:
        return {
            service.name: service
            for service in self
            if isinstance(service, ListenerService) and service.name is not None
        }

    def _add_listener(self, name: str, listener: Any) -> None:
        gate = self._gates[name] = Gate(build.limits(listener), self._whole)
        policy = build.policy(name, listener, gate)
        service = ListenerService(name, policy, lambda: self.engine)
        service.setServiceParent(self)

    def _remove_listener(self, name: str) -> None:
        service = self._services()[name]
        service.disownServiceParent()
        del self._gates[name]

    def _open_access(self, config: Config) -> AccessLog | None:
        """@return: the access log in use, if it stays as it is."""
        path, render = config.log.access, renderer(config.log.format)
        current = self._access
        if path is None:
            return None
        path = os.path.join(self._directory, path)
        if current is not None and current.path == path:
            current.render = render
            return current
        return AccessLog(path, render, self._around.reactor())

    def _take_pid(self, config: Config) -> PidFile | None:
        path = config.pid if self._around.own_pid_file else None
        if path is None:
            return None
        path = os.path.join(self._directory, path)
        if self._pid is not None and self._pid.path == path:
            return self._pid
        fresh = PidFile(path)
        fresh.take()
        return fresh

    def _ended(self, record: Record) -> None:
        write = self._access if self._access is not None else log_record
        write(record)
