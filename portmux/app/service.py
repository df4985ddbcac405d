"""The whole program as one service: start, reload, drain, stop."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.logger import Logger

from portmux import __version__
from portmux.app import build, force, state, treatment
from portmux.app.administration import Administration
from portmux.app.ending import Ending
from portmux.app.exposition import exposition
from portmux.app.files import Files
from portmux.app.sockets import Owner, Sockets
from portmux.app.steering import Steering
from portmux.app.supervised import Supervised
from portmux.app.surroundings import Surroundings
from portmux.config.changes import Changes
from portmux.config.diff import Change, compare
from portmux.config.model import Config, Listener
from portmux.config.saved import saved
from portmux.control.plexy import numbers
from portmux.core.asked import Asked
from portmux.core.events import Hub
from portmux.core.limits import Count, Gate, Limits
from portmux.core.metrics import Metrics
from portmux.core.policy import Policy
from portmux.core.pools import Draft, Pools
from portmux.core.record import Record, as_dict
from portmux.errors import ConfigError, PortmuxError
from portmux.net.contexts import Contexts
from portmux.net.descriptors import Budget, raise_limit
from portmux.net.engine import Engine
from portmux.services.health import HealthService
from portmux.services.listener import ListenerService
from portmux.services.scraping import ScrapingService


class Portmux(MultiService):
    """
    Listeners come and go with the configuration; the engine stays.

    @ivar pools: all that there are, by name.
    @ivar changes: what was changed since the configuration was read.
    @ivar events: what happens, for those who watch.
    @ivar since: when it was started.
    """

    _log = Logger()
    engine: Engine

    def __init__(self, config: Config, around: Surroundings) -> None:
        super().__init__()
        self.config = config
        self._around = around
        self._directory = os.getcwd()  # paths mean the same after a chdir
        self._whole = Count(
            config.limits.connections, recount=lambda: self.engine.recount()
        )
        self.metrics = Metrics(__version__, self._descriptors)
        self._exposition = exposition(self.metrics)
        self._scraping = ScrapingService(self._rendered, lambda: self.engine)
        self._scraping.setServiceParent(self)
        self._files = Files(
            around.reactor, around.own_pid_file, self._directory, around.output
        )
        self.pools = Pools()
        self.metrics.pools = self.pools
        HealthService(self.pools, lambda: self.engine).setServiceParent(self)
        self._contexts = Contexts(self._directory)
        self.changes = Changes()
        self.events = Hub()
        self.pools.observers.append(self.events.changed)
        self.since = 0.0
        self._read = config
        admin = Administration(self)
        self.metrics.tunnels = lambda: numbers(admin)
        self._steering = Steering(
            admin,
            lambda: self.engine,
            around.environ,
            self._directory,
        )
        for control in self._steering.services.values():
            control.setServiceParent(self)
        self._sockets = Sockets(around.environ)
        self._supervised = Supervised(around.environ, self._status)
        self._refused = ""
        self._ending = Ending(lambda: self.engine)
        self._missing: frozenset[str] = frozenset()  # could not be opened

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
        self.since = reactor.seconds()
        changes = state.read(self._read.state, self._directory, build.registry())
        config, self.changes = force.changed(self._read, changes, self._directory)
        token, reading = self._steering.tokens(config)
        draft = build.draft(config, self.pools)
        services = {
            name: self._made(name, listener, draft)
            for name, listener in config.listeners.items()
        }
        self._contexts.use(self._contexts.read(build.tls(draft, services, {})))
        self.config = config = self._apply_sockets(config, services)
        self._steering.obey(config, token)
        self._scraping.token = reading
        self._around.obey(self, reactor)
        try:
            self._files = self._files.following(config)
        except PortmuxError:
            self._sockets.close()
            raise
        self._files.obey(config.log)
        self.engine = Engine(
            reactor,
            Budget.of_process(),
            self._ended,
            build.engine(config),
            self._contexts,
            self._asked,
        )
        self._adopt(services)
        self._enforce(draft)
        treatment.apply(self.pools, Changes(), self.changes, reactor.seconds())

    def startService(self) -> None:
        super().startService()
        count = len(self.config.listeners)
        self._log.info("portmux runs with {count} listener(s)", count=count)
        self._supervised.start(self.engine.reactor)

    # -- reload

    def reload(self) -> Sequence[str]:
        """
        Read the configuration again; a fault changes nothing and is told.

        @return: the faults.
        """
        if self._ending.near:
            self._log.warn("not reloaded: portmux is about to end")
            return ["portmux is about to end"]
        self._supervised.reloading()
        faults = self._reload()
        if faults:
            self.metrics.refused += 1
            self._refused = ", the last reload was refused"
        else:
            self.metrics.reloads += 1
            self._refused = ""
        self._supervised.reloaded()
        return faults

    def _reload(self) -> Sequence[str]:
        """@return: why the fresh configuration is not in force."""
        try:
            read = self._around.load()
            fresh, kept = force.changed(read, self.changes, self._directory)
            self._apply(fresh)
        except ConfigError as error:
            for fault in error.faults:
                self._log.error("{fault}", fault=fault)
            self._log.error("not reloaded: the configuration has faults")
            return error.faults
        except PortmuxError as error:
            self._log.error("not reloaded: {error}", error=str(error))
            return [str(error)]
        self._read = read
        self.keep(kept)
        self._around.configured(self.config)
        count = len(self.config.listeners)
        self._log.info("reloaded: {count} listener(s)", count=count)
        self.events.publish({"event": "reload", "listeners": count})
        return []

    def change(self, changes: Changes, opening: str = "") -> None:
        """
        Have these changes be in force, and no others.

        @param opening: a listener that has to be open then; of others that could
            not be opened before, nobody asks for now.
        @raise PortmuxError: they cannot be; nothing has changed.
        @raise ValueError: they cannot stand together.
        """
        if self._ending.near:
            raise PortmuxError("portmux is about to end")
        fresh, kept = force.changed(self._read, changes, self._directory)
        self._apply(fresh, self._missing - {opening})
        self.keep(kept)
        self._around.configured(self.config)

    def keep(self, changes: Changes) -> None:
        """These changes are in force."""
        before, self.changes = self.changes, changes
        state.write(self.config.state, self._directory, changes)
        treatment.apply(self.pools, before, changes, self.engine.reactor.seconds())

    def _apply(self, fresh: Config, missing: Collection[str] | None = None) -> None:
        """
        @param missing: all but these have to be opened, also what may be left out.
        @raise PortmuxError: nothing has changed.
        """
        kind = build.engine(fresh)
        token, reading = self._steering.tokens(fresh)
        draft = build.draft(fresh, self.pools)
        services, policies = self._planned(fresh, draft)
        certificates = self._contexts.read(build.tls(draft, services, policies))
        open_before = len(self._sockets)
        files = self._files.following(fresh)
        try:
            fresh = self._apply_sockets(fresh, services, missing)
        except PortmuxError:
            files.close(save=self._files)
            raise
        # From here on nothing can fail.
        self._steering.obey(fresh, token)
        self._scraping.token = reading
        if kind is not self.engine.kind:
            self.engine.use(kind)
            for service in self.listening().values():
                service.accepting.renew()
        for name, service in self.listening().items():
            if name not in services:
                service.disownServiceParent()
        for name, made in policies.items():
            if name not in services:
                continue
            build.enforce(made, fresh.listeners[name])
            services[name].policy = made
        self._adopt(services)
        self._contexts.use(certificates)
        self._enforce(draft)
        self._whole.most = fresh.limits.connections
        self.engine.budget.most += open_before - len(self._sockets)
        files.obey(fresh.log)
        self._files.close(save=files)
        self._files = files
        self.events.moved(self.config.listeners, fresh.listeners)
        self.config = fresh

    def _enforce(self, draft: Draft) -> None:
        """Have the pools be what the listeners in force want of them."""
        policies = (service.policy for service in self.listening().values())
        draft.enforce(build.used(policies), self.engine.reactor.seconds())

    def _planned(
        self, fresh: Config, draft: Draft
    ) -> tuple[dict[str, ListenerService], dict[str, Policy]]:
        """@return: all listeners of a configuration; what will be new of old ones."""
        before = self.listening()
        services: dict[str, ListenerService] = {}
        policies: dict[str, Policy] = {}
        for each in compare(self.config, fresh).listeners:
            name, listener = each.name, each.after
            if listener is None:
                continue
            service = before.get(name)
            if service is None:
                service = self._made(name, listener, draft)
            elif each.change is not Change.SAME:
                was = service.policy
                made = build.policy(name, listener, was.gate, was, draft=draft)
                policies[name] = made
            services[name] = service
        return services, policies

    def rotate(self) -> None:
        """The log files were moved away: go on in new ones."""
        self._files.reopen()

    # -- the end

    def drain(self) -> None:
        """See L{Ending.drain}."""
        self._ending.drain(self.config.drain, self._refuse)

    def _refuse(self) -> None:
        self._supervised.stopping()
        for service in self.listening().values():
            service.stopService()
        self._scraping.stopService()

    def stopService(self) -> Deferred[Any]:
        """What is still live is cut and recorded; then the files are closed."""
        self._supervised.stop()
        listeners = maybeDeferred(super().stopService)
        return gatherResults([listeners, self._ending.cut()]).addBoth(self._close)

    def _close(self, result: Any) -> Any:
        self.engine.idle = None
        self.engine.stop()
        self._files = self._files.end()
        return result

    # -- for those who steer

    def read(self) -> Config:
        """@raise ConfigError: what is configured now has faults."""
        return self._around.load()

    def whole(self) -> str:
        """@return: the configuration with what was changed, as a portmux.conf."""
        if self._around.tree is None:
            return ""
        tree = self._around.tree()
        return saved(tree, self.changes.over(self._read), self.changes)

    def listening(self) -> dict[str, ListenerService]:
        """@return: the listeners that are in force, by name."""
        return {
            service.name: service
            for service in self
            if isinstance(service, ListenerService) and service.name is not None
        }

    def end(self, listener: str) -> None:
        """End the sessions of a listener that is gone, and forget its numbers."""
        for live in list(self.engine.live):
            if live.session.listener == listener:
                live.stop("tunnel-closed", reset=False)
        self.metrics.listeners.pop(listener, None)

    # -- parts

    def _rendered(self, accept: str) -> tuple[bytes, str]:
        """@return: the metrics, as a client accepts them, and their type."""
        self.engine.catch_up()
        return self._exposition(accept)

    def _apply_sockets(
        self,
        config: Config,
        services: dict[str, ListenerService],
        missing: Collection[str] | None = None,
    ) -> Config:
        """See L{force.opened}. @raise BindError: nothing has changed."""
        owners: dict[str, Owner] = {
            **{name: service.accepting for name, service in services.items()},
            **self._steering.owners,
            build.METRICS: self._scraping.accepting,
        }
        wanted = build.listenings(config) | self._steering.listenings(config)
        whole = missing is not None or config.start == "whole"
        config, self._missing = force.opened(
            self._sockets, config, wanted, owners, whole, missing or ()
        )
        for name in [name for name in services if name not in config.listeners]:
            del services[name]
        return config

    def _descriptors(self) -> tuple[int, int]:
        """@return: how many sessions have reserved, and how many they may."""
        return self.engine.budget.taken, self.engine.budget.most

    def _status(self) -> str:
        """@return: one line for C{systemctl status}."""
        listeners, live = len(self.config.listeners), len(self.engine.live)
        if self._ending.near:
            return f"about to end, {live} session(s) left"
        return f"{listeners} listener(s), {live} session(s){self._refused}"

    def _made(self, name: str, listener: Listener, draft: Draft) -> ListenerService:
        """@return: a listener that is not part of the program yet."""
        gate, counts = Gate(Limits(), self._whole), self.metrics.listener(name)
        policy = build.policy(name, listener, gate, counts=counts, draft=draft)
        build.enforce(policy, listener)
        return ListenerService(name, policy, lambda: self.engine)

    def _adopt(self, services: Mapping[str, ListenerService]) -> None:
        """Those that are new are open now."""
        for name, service in services.items():
            if service.parent is None:
                self.metrics.opened(name, service.policy.counts)
                service.setServiceParent(self)

    def _asked(self, asked: Asked) -> None:
        self._files.record(asked)

    def _ended(self, record: Record) -> None:
        if self.events:
            self.events.publish({"event": "session", **as_dict(record)})
        self._files.record(record)
