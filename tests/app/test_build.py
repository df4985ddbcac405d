"""Test portmux.app.build."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Any, Literal

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.actions.close import Close
from portmux.actions.discard import Discard
from portmux.actions.echo import Echo
from portmux.actions.execute import Exec
from portmux.actions.forward import Forward
from portmux.actions.mux import Mux
from portmux.app import build
from portmux.config.limits import Ban, Limits, RouteLimits
from portmux.config.model import (
    Bind,
    Config,
    Listener,
    Metrics,
    Route,
    Sniff,
    Timeouts,
)
from portmux.config.pools import Backend, Pool, Tls
from portmux.core.address import Host, Inherited, Unix
from portmux.core.frame.line import Line
from portmux.core.frame.modbus import Modbus
from portmux.core.limits import Ban as GateBan
from portmux.core.limits import Count, Gate
from portmux.core.limits import Limits as GateLimits
from portmux.core.match.prefix import Prefix
from portmux.core.modbus.units import Unit
from portmux.core.option import Octets, Seconds
from portmux.core.plan import Closing, Forwarding, Lasting
from portmux.core.policy import Policy
from portmux.core.pools import Draft, Pools
from portmux.core.reach import Tls as Spoken
from portmux.errors import ConfigError, PortmuxError
from portmux.net.engine import Engine, Kind
from portmux.services.listener import ListenerService

BIND = (Bind(Host("127.0.0.1", 0)),)


def route(name: str, most: int | None = None) -> Route:
    """@return: one that matches its own name."""
    return Route(
        name=name,
        match=Prefix((name.encode(),)),
        action=Echo(),
        limits=RouteLimits(connections=most),
    )


def made(listener: Listener, before: Policy | None = None) -> Policy:
    """@return: a policy that is in force."""
    gate = before.gate if before is not None else Gate(GateLimits(), Count())
    policy = build.policy("front", listener, gate, before)
    build.enforce(policy, listener)
    return policy


class EngineTests(SynchronousTestCase):
    """What carries connections."""

    def config(self, engine: Literal["lane", "twisted"] | None) -> Config:
        return Config(
            listeners={"front": Listener(bind=BIND, action=Echo())}, engine=engine
        )

    def test_wanted(self) -> None:
        for kind in (Kind.LANE, Kind.TWISTED):
            self.assertIs(build.engine(self.config(kind.value)), kind)

    def test_best(self) -> None:
        """Unless there is not all that it needs."""
        self.assertIsNot(build.engine(self.config(None)), Kind.TWISTED)
        with _without(os, "splice"):
            self.assertIs(build.engine(self.config(None)), Kind.TWISTED)
            self.assertIs(build.engine(self.config("twisted")), Kind.TWISTED)

    def test_not_here(self) -> None:
        """It is told what is missing."""
        with _without(os, "splice"):
            error = self.assertRaises(PortmuxError, build.engine, self.config("lane"))
        self.assertIn("lane needs os.splice", str(error))


@contextlib.contextmanager
def _without(module: object, name: str) -> Iterator[None]:
    """As on a system that does not have it."""
    kept = getattr(module, name)
    delattr(module, name)
    try:
        yield
    finally:
        setattr(module, name, kept)


class RegistryTests(SynchronousTestCase):
    def test_every_kind(self) -> None:
        """What a configuration can name is there without being listed anywhere."""
        kinds = build.registry()
        self.assertLessEqual(
            {"ssh", "tls", "http", "prefix", "regex", "all", "any", "not"},
            set(kinds.matchers),
        )
        self.assertLessEqual(
            {"forward", "exec", "echo", "discard", "close"}, set(kinds.actions)
        )


class PolicyTests(SynchronousTestCase):
    def test_ways(self) -> None:
        """Routes in their order, then what is done with all others."""
        policy = made(
            Listener(
                bind=BIND,
                routes=(route("b"), route("a")),
                fallback=Discard(),
                silent=Forward((Host("127.0.0.1", 22),)),
                undecided=Close(reset=True),
            )
        )
        names = [way.name for way in policy.table.ways()]
        self.assertEqual(names, ["b", "a", "fallback", "silent", "undecided", "close"])
        undecided = policy.table.undecided
        assert undecided is not None
        self.assertEqual(undecided.plan, Closing(reset=True))

    def test_without_fallback(self) -> None:
        """Connections that nobody wants are closed, and that was nobody's choice."""
        table = made(Listener(bind=BIND, routes=(route("a"),))).table
        self.assertEqual(table.fallback.plan, Closing())
        self.assertFalse(table.fallback.chosen)
        self.assertEqual((table.silent, table.undecided), (None, None))

    def test_own_action(self) -> None:
        """It is a route for all, named by its verb; nobody has to send a byte."""
        target = Host("127.0.0.1", 22)
        table = made(Listener(bind=BIND, action=Forward((target,)))).table
        decision: Any = table.accept(target, target)
        self.assertEqual(decision.way.name, "forward")
        self.assertIsInstance(decision.way.plan, Forwarding)

    def test_times_and_bytes(self) -> None:
        """They are the listener's."""
        policy = made(
            Listener(
                bind=BIND,
                routes=(route("a"),),
                silent=Echo(),
                sniff=Sniff(
                    timeout=Seconds(4.0),
                    limit=Octets(100),
                    silent=Seconds(1.0),
                    resolution="eager",
                ),
                timeouts=Timeouts(idle=Seconds(7.0), half_close=Seconds(8.0)),
            )
        )
        self.assertEqual(
            (policy.timeout, policy.silent, policy.idle, policy.half_close),
            (4.0, 1.0, 7.0, 8.0),
        )
        self.assertEqual((policy.table.limit, policy.table.eager), (100, True))
        self.assertEqual(policy.listener, "front")

    def test_live_sessions_count(self) -> None:
        """Those of a route count for the route of that name that replaces it."""
        before = made(Listener(bind=BIND, routes=(route("a", 3), route("b", 3))))
        before.table.routes[0].way.count.live = 2
        after = made(Listener(bind=BIND, routes=(route("c", 3), route("a", 2))), before)
        found = [one.way.count for one in after.table.routes]
        self.assertEqual([(one.live, one.most) for one in found], [(0, 3), (2, 2)])
        self.assertIs(found[1], before.table.routes[0].way.count)

    def test_routes_named_like_other_ways(self) -> None:
        """A route may be called fallback; it counts for itself."""
        listener = Listener(
            bind=BIND,
            routes=(route("fallback", 3), route("silent", 3)),
            fallback=Echo(),
            silent=Echo(),
        )
        before = made(listener)
        before.table.fallback.count.live = 5
        before.table.routes[0].way.count.live = 1
        after = made(listener, before)
        self.assertEqual([way.count.live for way in after.table.ways()][:2], [1, 0])

    def test_not_in_force_yet(self) -> None:
        """A policy that is made and not used changes no limit that is in force."""
        limits = Limits(connections=5)
        listener = Listener(bind=BIND, routes=(route("a", 3),), limits=limits)
        before = made(listener)
        fresh = attrs.evolve(
            listener, routes=(route("a", 1),), limits=Limits(connections=1)
        )
        build.policy("front", fresh, before.gate, before)
        self.assertEqual(before.table.routes[0].way.count.most, 3)
        self.assertEqual(before.gate.limits.connections, 5)

    def test_cannot_be_carried_out(self) -> None:
        """An action's fault is a configuration's."""
        action = Exec(("true",), user="root")
        object.__setattr__(action, "user", "no-such-user")  # gone since it was read
        listener = Listener(bind=BIND, action=action)
        gate = Gate(GateLimits(), Count())
        self.assertRaises(ConfigError, build.policy, "front", listener, gate)


class DraftTests(SynchronousTestCase):
    """Pools that live longer than the policies that speak of them."""

    def config(self, *to: str, **more: Any) -> Config:
        action = Forward(tuple(Host(each, 80) for each in to), **more)
        backends = (Backend(Host("10.0.0.9", 80)),)
        return Config(
            listeners={
                "own": Listener(bind=BIND, action=action),
                "shared": Listener(bind=BIND, action=Forward(pool="git")),
            },
            pools={"git": Pool(backends=backends, tls=Tls(ca_bundle="/ca"))},
        )

    def policies(self, config: Config, draft: Draft) -> list[Policy]:
        return [
            build.policy(name, listener, Gate(GateLimits(), Count()), draft=draft)
            for name, listener in config.listeners.items()
        ]

    def test_pools(self) -> None:
        """They are found by name; the same ones are there after a reload."""
        pools, first = Pools(), self.config("10.0.0.1")
        draft = build.draft(first, pools)
        before = build.used(self.policies(first, draft))
        draft.enforce(before, 1.0)
        self.assertEqual([each.name for each in before], ["own/forward", "git"])
        fresh = self.config("10.0.0.1", "10.0.0.2")
        draft = build.draft(fresh, pools)
        after = build.used(self.policies(fresh, draft))
        self.assertEqual(len(before[0].backends), 1)
        draft.enforce(after, 2.0)
        self.assertEqual(after, before)
        self.assertEqual(len(before[0].backends), 2)

    def test_tls(self) -> None:
        """What has to be read before anything changes, of all pools together."""
        pools = Pools()
        config = self.config("a.test", tls=Tls(name="b.test"))
        draft = build.draft(config, pools)
        services = {
            policy.listener: ListenerService(policy.listener, policy, self.engine)
            for policy in self.policies(config, draft)
        }
        self.assertEqual(
            build.tls(draft, services, {}),
            {Spoken(name="b.test"), Spoken(ca_bundle="/ca")},
        )

    def engine(self) -> Engine:
        raise AssertionError("nobody listens")


class LimitsTests(SynchronousTestCase):
    def test_all(self) -> None:
        """Each limit of a listener is one of its gate."""
        limits = Limits(
            connections=1,
            per_source=2,
            rate=3.0,
            ban=Ban(4, within=Seconds(5.0), duration=Seconds(6.0)),
        )
        listener = Listener(bind=BIND, action=Echo(), limits=limits)
        expected = GateLimits(1, 2, 3.0, GateBan(4, 5.0, 6.0))
        self.assertEqual(build.limits(listener), expected)

    def test_none(self) -> None:
        """Nothing is limited unless somebody says so."""
        listener = Listener(bind=BIND, action=Echo())
        self.assertEqual(build.limits(listener), GateLimits())


class ListeningsTests(SynchronousTestCase):
    def test_each_address(self) -> None:
        """By listener, with the options of both the address and the listener."""
        file = Unix("/run/front")
        config = Config(
            listeners={
                "one": Listener(
                    bind=(
                        Bind(Host("*", 443), backlog=5, interface="eth0"),
                        Bind(file, mode="0660", owner="a:b"),
                    ),
                    action=Echo(),
                    keepalive=False,
                ),
                "two": Listener(
                    bind=(Bind(Inherited("web")), Bind(Unix("/run/two"))),
                    action=Echo(),
                    nodelay=False,
                ),
            }
        )
        found = build.listenings(config)
        self.assertEqual(
            {name: set(each) for name, each in found.items()},
            {
                "one": {Host("*", 443), file},
                "two": {Inherited("web"), Unix("/run/two")},
            },
        )
        front, unix = found["one"][Host("*", 443)], found["one"][file]
        self.assertEqual((front.backlog, front.interface), (5, "eth0"))
        self.assertEqual((front.keepalive, front.nodelay), (False, True))
        self.assertEqual((unix.backlog, unix.mode), (socket.SOMAXCONN, 0o660))
        self.assertEqual(unix.owner, "a:b")
        self.assertEqual(found["two"][Inherited("web")].nodelay, False)
        self.assertEqual(found["two"][Unix("/run/two")].mode, None)

    def test_metrics(self) -> None:
        """Their address stands beside the listeners', under no listener's name."""
        bind = Bind(Unix("/run/one"))
        config = Config(
            listeners={"one": Listener(bind=(bind,), action=Echo())},
            metrics=Metrics(prometheus=Unix("/run/metrics")),
        )
        found = build.listenings(config)
        self.assertEqual(set(found), {"one", build.METRICS})
        (metrics,) = found[build.METRICS].values()
        self.assertEqual((metrics.address, metrics.mode), (Unix("/run/metrics"), None))


class RootedTests(SynchronousTestCase):
    def test_sockets(self) -> None:
        """Relative paths are moved wherever they stand, nothing else is touched."""
        config = Config(
            listeners={
                "front": Listener(
                    bind=(Bind(Unix("a"), mode="0600"), Bind(Host("*", 1))),
                    routes=(
                        Route(
                            name="x",
                            match=Prefix((b"x",)),
                            action=Forward((Unix("b/c"), Unix("/d"), Host("e", 5))),
                        ),
                        route("y"),
                    ),
                )
            },
            pid="pid",
        )
        found = build.rooted(config, "/top")
        front, before = found.listeners["front"], config.listeners["front"]
        self.assertEqual(front.bind[0], Bind(Unix("/top/a"), mode="0600"))
        self.assertEqual(front.bind[1], before.bind[1])
        self.assertEqual(
            front.routes[0].action,
            Forward((Unix("/top/b/c"), Unix("/d"), Host("e", 5))),
        )
        self.assertIs(front.routes[1], before.routes[1])
        self.assertEqual(found.pid, "pid")

    def test_nothing_to_do(self) -> None:
        """The same object comes back."""
        config = Config(listeners={"front": Listener(bind=BIND, action=Echo())})
        self.assertIs(build.rooted(config, "/top"), config)


class LastingTests(SynchronousTestCase):
    """What plans keep from one session to the next outlives policies, too."""

    def made(self, mux: Mux, before: Policy | None = None) -> Lasting:
        listener = Listener(bind=BIND, action=mux)
        ((name, lasting),) = made(listener, before).lasting()
        self.assertEqual(name, "mux")
        return lasting

    def test_the_same_goes_on(self) -> None:
        mux = Mux(protocol=Line(), to=(Host("10.0.0.9", 502),))
        listener = Listener(bind=BIND, action=mux)
        first = made(listener)
        other = attrs.evolve(listener, nodelay=False)
        ((_, before),) = first.lasting()
        ((_, after),) = made(other, first).lasting()
        self.assertIs(after, before)

    def test_another_begins(self) -> None:
        mux = Mux(protocol=Line(), to=(Host("10.0.0.9", 502),))
        listener = Listener(bind=BIND, action=mux)
        first = made(listener)
        ((_, before),) = first.lasting()
        after = self.made(attrs.evolve(mux, connections=2), first)
        self.assertIsNot(after, before)

    def test_pool(self) -> None:
        """It is the one of that name, and in use."""
        config = Config(
            listeners={
                "own": Listener(bind=BIND, action=Mux(protocol=Line(), pool="git"))
            },
            pools={"git": Pool(backends=(Backend(Host("10.0.0.9", 80)),))},
        )
        pools = Pools()
        draft = build.draft(config, pools)
        gate = Gate(GateLimits(), Count())
        listener = config.listeners["own"]
        policy = build.policy("own", listener, gate, draft=draft)
        used = build.used([policy])
        self.assertEqual([each.name for each in used], ["git"])
        draft.enforce(used, 1.0)
        self.assertIs(pools.get("git"), used[0])
        self.assertEqual(len(used[0].backends), 1)

    def test_pools_of_units(self) -> None:
        """
        They are known, and go on, by where they are: who still asks for a unit as
        an older configuration had it gets no other device.
        """
        pools, kept = Pools(), []
        for now in (1.0, 2.0):
            units = {unit: Unit(to=(Host("10.0.0.7", unit),)) for unit in (2, 3)}
            if now > 1:
                del units[2]
            mux = Mux(protocol=Modbus(units=units), to=(Host("10.0.0.9", 502),))
            config = Config(listeners={"plant": Listener(bind=BIND, action=mux)})
            draft = build.draft(config, pools)
            gate = Gate(GateLimits(), Count())
            listener = config.listeners["plant"]
            policy = build.policy("plant", listener, gate, draft=draft)
            used = build.used([policy])
            draft.enforce(used, now)
            kept.append(used)
        before, after = kept
        names = ["plant/mux", "plant/mux/10.0.0.7:2", "plant/mux/10.0.0.7:3"]
        self.assertEqual([each.name for each in before], names)
        self.assertEqual(after, [before[0], before[2]])
        self.assertEqual(list(pools), after)
