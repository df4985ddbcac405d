"""Test portmux.app.service, on a turned reactor, with unix sockets and real files."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import attrs
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from portmux.actions.echo import Echo
from portmux.app.inputs import inputs
from portmux.app.service import Portmux
from portmux.app.signals import Told
from portmux.app.surroundings import Surroundings
from portmux.config.load import load
from portmux.config.model import Bind, Config, Listener
from portmux.core.address import Unix
from portmux.errors import ConfigError
from portmux.net.engine import Kind
from portmux.net.front import Front
from portmux.net.lane.link import Link
from tests.net.turned import Turned

ECHO = 'listeners: {front: {bind: "unix:front", routes: [%s]}}\n'
ROUTE = "{name: e, match: {prefix: e}, echo: }"


class Stoppable(Turned):
    """
    A turned reactor that can be asked to stop, and starts to run by hand.

    @ivar stops: how often it was asked.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stops = 0

    def stop(self) -> None:
        self.stops += 1


@attrs.frozen
class Broken:
    """An action that was in order when it was read."""

    def plan(self) -> NoReturn:
        raise ConfigError(["exec id: no such user"])


class Refused(Exception):
    """The program cannot start."""


@implementer(ILogObserver)
class Heard:
    """@ivar texts: what the program has said, by level."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if event["log_namespace"].startswith("portmux."):
            self.texts.append(f"{event['log_level'].name}: {formatEvent(event)}")


class ServiceCase(SynchronousTestCase):
    """
    @ivar folder: a short path, as those of sockets have to be, and where we are.
    @ivar runtime: where the control socket is.
    @ivar told: what signals were handed to.
    @ivar configured: configurations that came into force by a reload.
    @ivar load: reads the configuration.
    """

    load: Callable[[], Config]

    def setUp(self) -> None:
        # A start raises it; tests of what is as it was before come later.
        files = resource.RLIMIT_NOFILE
        self.addCleanup(resource.setrlimit, files, resource.getrlimit(files))
        self.addCleanup(os.chdir, os.getcwd())
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.runtime = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.runtime)
        os.chdir(self.folder)
        self.reactor = Stoppable()
        self.addCleanup(self._check_reactor)
        self.heard = Heard()
        globalLogPublisher.addObserver(self.heard)
        self.addCleanup(globalLogPublisher.removeObserver, self.heard)
        self.told: list[Told] = []
        self.configured: list[Config] = []
        self._clients: list[socket.socket] = []
        self.service: Portmux | None = None

    def _check_reactor(self) -> None:
        for client in self._clients:
            client.close()
        if self.service is not None and self.service.running:
            self.stop()
        left = self.reactor.left()
        self.reactor.close()
        self.assertEqual(left, [], "the reactor is not clean")

    def write(self, text: str) -> None:
        """Have this be the configuration."""
        Path(self.folder, "portmux.conf").write_text(text)

    def made(self, text: str, own_pid_file: bool = True) -> Portmux:
        """@return: the program, not started."""
        self.write(text)
        given = inputs("portmux.conf", None, [], {})
        self.load = lambda: load(given).config

        def refuse(why: str) -> NoReturn:
            raise Refused(why)

        around = Surroundings(
            reactor=lambda: self.reactor,
            environ={"RUNTIME_DIRECTORY": self.runtime},
            load=lambda: self.load(),
            tree=lambda: load(given).tree,
            configured=self.configured.append,
            obey=lambda told, reactor: self.told.append(told),
            own_pid_file=own_pid_file,
            refuse=refuse,
        )
        self.service = Portmux(self.load(), around)
        return self.service

    def started(self, text: str) -> Portmux:
        """@return: the program as it runs."""
        service = self.made(text)
        service.privilegedStartService()
        service.startService()
        return service

    def stop(self) -> None:
        """Do what a reactor does before it ends."""
        assert self.service is not None
        done: list[Any] = []
        self.service.stopService().addBoth(done.append)
        self.reactor.settle()
        self.assertEqual(len(done), 1, "it has not stopped")

    def connect(self, name: str = "front", first: bytes = b"") -> socket.socket:
        """@return: a client, after everything that can happen has happened."""
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        self._clients.append(client)
        client.connect(str(self.folder / name))
        if first:
            client.send(first)
        self.reactor.settle()
        return client

    def talk(self, client: socket.socket, data: bytes = b"") -> bytes | None:
        """@return: what comes back; None if the connection is at its end."""
        if data:
            client.send(data)
        self.reactor.settle()
        try:
            return client.recv(65536) or None
        except BlockingIOError:
            return b""
        except ConnectionResetError:
            return None

    def is_open(self, name: str = "front") -> bool:
        """@return: whether somebody listens there."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.folder / name)) == 0

    def reload(self, text: str) -> str:
        """@return: the last thing that was said."""
        assert self.service is not None
        self.write(text)
        self.service.reload()
        return self.heard.texts[-1]

    def names(self) -> list[str]:
        """@return: the files that are there."""
        return sorted(one.name for one in self.folder.iterdir())


class StartTests(ServiceCase):
    def test_serves(self) -> None:
        """Opened with all rights, accepting after they were given up."""
        service = self.made(ECHO % ROUTE)
        service.privilegedStartService()
        client = self.connect(first=b"early")
        self.assertEqual(self.talk(client), b"")
        service.startService()
        self.assertEqual(self.talk(client), b"early")
        self.assertEqual(self.told, [service])
        self.assertEqual(self.heard.texts[-1], "info: portmux runs with 1 listener(s)")

    def test_nothing_before_the_fork(self) -> None:
        """To make the program opens nothing, and asks for no reactor."""
        before = sorted(os.listdir("/proc/self/fd"))
        self.made(ECHO % ROUTE + "log: {access: access.log}\npid: pid\n")
        self.assertEqual(sorted(os.listdir("/proc/self/fd")), before)
        self.assertEqual(self.names(), ["portmux.conf"])

    def refused(self, text: str) -> str:
        """@return: why the program cannot start, after it has left no trace."""
        before = self.names()
        service = self.made(text)
        error = self.assertRaises(Refused, service.privilegedStartService)
        left = set(self.names()) - {"portmux.conf", *before}
        self.assertEqual(left, set())
        return str(error)

    def test_address_cannot_be_had(self) -> None:
        """One line tells which; the others are given back."""
        text = 'listeners: {a: {bind: ["unix:a", "unix:no/such"], echo: }}\n'
        self.assertEqual(
            self.refused(text),
            "cannot listen on unix:no/such: no such file or directory",
        )

    def test_pid_file_cannot_be_had(self) -> None:
        """Nor may two run with one pid file."""
        Path("pid").write_text(str(os.getppid()))
        why = self.refused(ECHO % ROUTE + "pid: pid\n")
        self.assertIn(f"belongs to process {os.getppid()}", why)

    def test_access_log_cannot_be_had(self) -> None:
        """It does not run without its records."""
        why = self.refused(ECHO % ROUTE + "log: {access: no/such}\n")
        self.assertIn("cannot open the access log", why)

    def test_after_a_chdir(self) -> None:
        """Paths mean what they meant when the program was called."""
        # The relay in C has a thread of its own, for which nothing here waits.
        text = (
            "engine: twisted\n"
            'listeners: {front: {bind: "unix:front", routes: ['
            '{name: f, match: {prefix: f}, forward: "unix:back"}]},'
            ' back: {bind: "unix:back", echo: }}\n'
            "log: {access: access.log}\npid: pid\n"
        )
        service = self.made(text)
        os.chdir("/")
        service.privilegedStartService()
        service.startService()
        self.assertEqual(self.talk(self.connect(), b"for"), b"for")
        self.assertEqual(
            self.names(), ["access.log", "back", "front", "pid", "portmux.conf"]
        )
        self.assertRegex(self.reload(text), "reloaded")
        self.assertEqual(self.talk(self.connect(), b"for"), b"for")


class ReloadTests(ServiceCase):
    def inode(self, name: str = "front") -> int:
        return (self.folder / name).stat().st_ino

    def test_nothing_new(self) -> None:
        """Sockets, policies and sessions are the same ones."""
        service = self.started(ECHO % ROUTE)
        client = self.connect(first=b"e")
        inode = self.inode()
        listener: Any = service.getServiceNamed("front")
        policy = listener.policy
        said = self.reload(ECHO % ROUTE)
        self.assertEqual(said, "info: reloaded: 1 listener(s)")
        self.assertEqual(self.inode(), inode)
        self.assertIs(service.getServiceNamed("front"), listener)
        self.assertIs(listener.policy, policy)
        self.assertEqual(self.talk(client, b"more"), b"emore")
        self.assertEqual(len(self.configured), 1)

    def test_new_route(self) -> None:
        """It is there for new clients; old ones stay with what they have."""
        self.started(ECHO % ROUTE)
        old = self.connect(first=b"e")
        inode = self.inode()
        self.reload(ECHO % "{name: d, match: {prefix: d}, echo: }")
        self.assertEqual(self.talk(old, b"more"), b"emore")
        self.assertEqual(self.talk(self.connect(), b"e"), None)
        self.assertEqual(self.talk(self.connect(), b"d"), b"d")
        self.assertEqual(self.inode(), inode)

    def test_other_engine(self) -> None:
        """For new clients; old ones stay with what they have."""
        service = self.started(ECHO % ROUTE + "engine: twisted\n")
        old = self.connect()
        self.reload(ECHO % ROUTE + "engine: lane\n")
        self.assertIs(service.engine.kind, Kind.LANE)
        fresh = self.connect()
        kinds = {type(live) for live in service.engine.live}
        self.assertEqual(kinds, {Front, Link})
        for client in (old, fresh):
            self.assertEqual(self.talk(client, b"e"), b"e")

    def test_listeners_come_and_go(self) -> None:
        """One that goes leaves its sessions alone."""
        text = 'listeners: {%s: {bind: "unix:%s", echo: }}\n'
        service = self.started(text % ("one", "one"))
        old = self.connect("one")
        self.reload(text % ("two", "two"))
        self.assertFalse(self.is_open("one"))
        self.assertEqual(self.names(), ["portmux.conf", "two"])
        self.assertEqual(self.talk(old, b"still"), b"still")
        self.assertEqual(self.talk(self.connect("two"), b"new"), b"new")
        self.assertEqual([one.name for one in service if one.name], ["two"])

    def test_address_moves(self) -> None:
        """A client that waits while it moves is served by its new listener."""
        text = (
            'listeners: {%s: {bind: "unix:front", %s: }, c: {bind: "unix:c", echo: }}\n'
        )
        service = self.started(text % ("a", "echo"))
        inode = self.inode()
        client = socket.socket(socket.AF_UNIX)
        self._clients.append(client)
        client.setblocking(False)
        client.connect(str(self.folder / "front"))
        self.reload(text % ("b", "discard"))
        self.assertEqual(self.talk(client, b"x"), b"")
        self.assertEqual(self.inode(), inode)
        routes = {front.session.listener for front in service.engine.live}
        self.assertEqual(routes, {"b"})

    def test_every_fault_is_told(self) -> None:
        """And nothing has changed."""
        service = self.started(ECHO % ROUTE)
        config = service.config
        said = self.reload("listeners: {front: {bind: 1, fallbak: close}}\ndrain: x\n")
        self.assertEqual(said, "error: not reloaded: the configuration has faults")
        faults = [one for one in self.heard.texts if "portmux.conf:" in one]
        self.assertGreater(len(faults), 2)
        self.assertIs(service.config, config)
        self.assertEqual(self.configured, [])
        self.assertEqual(self.talk(self.connect(), b"e"), b"e")

    def test_address_cannot_be_had(self) -> None:
        """Neither route, limit, file nor other address has changed then."""
        text = (
            'listeners: {front: {bind: ["unix:front"%s], '
            "routes: [{name: e, match: {prefix: e}, echo: ,"
            " limits: {connections: %d}}],"
            " limits: {connections: %d}}%s}\n"
            "limits: {connections: %d}\nlog: {format: %s, access: access.log}\n"
        )
        service = self.started(text % ("", 5, 6, "", 7, "text") + "pid: pid\n")
        listener: Any = service.getServiceNamed("front")
        policy: Any = listener.policy
        fresh = ', new: {bind: "unix:new", echo: }'
        said = self.reload(
            text % (', "unix:no/such"', 1, 1, fresh, 1, "json") + "pid: other\n"
        )
        self.assertEqual(
            said,
            "error: not reloaded: cannot listen on unix:no/such:"
            " no such file or directory",
        )
        self.assertIs(listener.policy, policy)
        self.assertEqual(policy.table.routes[0].way.count.most, 5)
        self.assertEqual(policy.gate.limits.connections, 6)
        self.assertEqual(policy.gate.whole.most, 7)
        self.assertIs(service.getServiceNamed("front"), listener)
        self.assertEqual(self.names(), ["access.log", "front", "pid", "portmux.conf"])
        self.connect(first=b"x")
        self.reactor.advance(1.0)
        self.assertRegex(Path("access.log").read_text(), "session=")

    def test_action_cannot_be_carried_out(self) -> None:
        """What only turns out when objects are made changes nothing either."""
        service = self.started(ECHO % ROUTE)
        inode, config = self.inode(), service.config
        before = len(os.listdir("/proc/self/fd"))
        fresh = Listener(bind=(Bind(Unix("fresh")),), action=Echo())
        broken = Listener(bind=(Bind(Unix("broken")),), action=Broken())
        listeners = {**config.listeners, "fresh": fresh, "broken": broken}
        self.load = lambda: Config(listeners=listeners)
        service.reload()
        self.assertIn("error: exec id: no such user", self.heard.texts)
        self.assertIs(service.config, config)
        self.assertEqual(self.inode(), inode)
        self.assertEqual(self.names(), ["front", "portmux.conf"])
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_limits(self) -> None:
        """They hold at once, for what is live already."""
        text = (
            'listeners: {front: {bind: "unix:front", limits: {connections: %s},'
            " routes: [{name: e, match: {prefix: e}, echo: ,"
            " limits: {connections: %s}},"
            " {name: d, match: {prefix: d}, discard: }]}}\n"
            "limits: {connections: %s}\n"
        )
        service = self.started(text % ("none", "none", "none"))
        clients = [self.connect(first=b"e") for _ in range(2)]
        for wanted in (("2", "none", "none"), ("none", "none", "2")):
            self.reload(text % wanted)
            self.assertEqual(self.talk(self.connect()), None)
        self.reload(text % ("none", "2", "none"))
        self.assertEqual(self.talk(self.connect(), b"e"), None)
        other = self.connect(first=b"d")
        self.assertEqual(self.talk(other), b"")
        clients.pop().close()
        self.assertEqual(self.talk(self.connect(), b"e"), b"e")
        self.assertEqual(len(service.engine.live), 3)

    def test_files(self) -> None:
        """Records go where the new configuration says, in its format."""
        self.started(ECHO % ROUTE + "log: {access: one.log}\npid: one.pid\n")
        self.connect(first=b"x")
        inode = self.inode("one.log")
        self.reload(
            ECHO % ROUTE + "log: {access: one.log, format: json}\npid: one.pid\n"
        )
        self.connect(first=b"x")
        self.reload(ECHO % ROUTE + "log: {access: two.log}\npid: two.pid\n")
        self.connect(first=b"x")
        self.reload(ECHO % ROUTE)
        self.connect(first=b"x")
        self.reactor.advance(1.0)
        first, second = Path("one.log").read_text().splitlines()
        self.assertRegex(first, r" session=\d+ ")
        self.assertRegex(second, r'\A\{"time":.*"session":\d+,')
        self.assertEqual(self.inode("one.log"), inode)
        self.assertRegex(Path("two.log").read_text(), r"\A.* session=.*\n\Z")
        self.assertRegex(self.heard.texts[-1], r"\Ainfo: .* session=.*")
        self.assertEqual(self.names(), ["front", "one.log", "portmux.conf", "two.log"])

    def test_rotate(self) -> None:
        """The access log goes on in a new file; without one nothing happens."""
        service = self.started(ECHO % ROUTE + "log: {access: access.log}\n")
        Path("access.log").rename("old.log")
        service.rotate()
        self.assertEqual(Path("access.log").read_text(), "")
        self.reload(ECHO % ROUTE)
        service.rotate()

    def test_more_sockets_leave_fewer_for_sessions(self) -> None:
        """Descriptors that listeners take are not promised to clients."""
        text = "listeners: {front: {bind: [%s], echo: }}\n"
        service = self.started(text % '"unix:a"')
        before = service.engine.budget.most
        self.reload(text % '"unix:a", "unix:b", "unix:c"')
        self.assertEqual(service.engine.budget.most, before - 2)
        self.reload(text % '"unix:a"')
        self.assertEqual(service.engine.budget.most, before)


class EndTests(ServiceCase):
    def setUp(self) -> None:
        super().setUp()
        self.text = ECHO % ROUTE + "log: {access: access.log}\npid: pid\ndrain: 5s\n"

    def records(self) -> list[str]:
        """@return: how each session ended."""
        lines = Path("access.log").read_text().splitlines()
        return [line.partition(" end=")[2].split()[0] for line in lines]

    def test_idle(self) -> None:
        """Without sessions it stops at once."""
        service = self.started(self.text)
        service.drain()
        self.assertEqual(self.reactor.stops, 1)
        self.assertFalse(self.is_open())
        self.stop()
        self.assertEqual(self.names(), ["access.log", "portmux.conf"])

    def test_asked_twice_before_it_has_stopped(self) -> None:
        """A reactor that stops may not be told so again."""
        service = self.started(self.text)
        for _ in range(3):
            service.drain()
        self.assertEqual(self.reactor.stops, 1)
        self.stop()

    def test_waits_for_sessions(self) -> None:
        """It stops when the last one has ended, and accepts no other."""
        service = self.started(self.text)
        clients = [self.connect(first=b"e") for _ in range(3)]
        service.drain()
        self.assertEqual(
            self.heard.texts[-1], "info: draining 3 session(s); again to stop now"
        )
        self.assertFalse(self.is_open())
        for client in clients:
            self.assertEqual(self.reactor.stops, 0)
            self.assertEqual(self.talk(client, b"more"), b"emore")
            client.close()
            self.reactor.settle()
        self.assertEqual(self.reactor.stops, 1)
        self.stop()
        self.assertEqual(self.records(), ["done"] * 3)

    def test_again(self) -> None:
        """Who cannot wait asks twice; what is cut leaves its record."""
        service = self.started(self.text)
        client = self.connect(first=b"e")
        self.assertEqual(self.talk(client), b"e")
        service.drain()
        service.drain()
        self.assertEqual(self.reactor.stops, 1)
        self.stop()
        self.assertEqual(self.talk(client), None)
        self.assertEqual(self.records(), ["drained"])
        self.assertEqual(self.names(), ["access.log", "portmux.conf"])

    def test_time_is_over(self) -> None:
        """Nobody holds it up for longer than it was told to wait."""
        service = self.started(self.text)
        sniffed, served = self.connect(), self.connect(first=b"e")
        service.drain()
        self.reactor.advance(4.9)
        self.assertEqual(self.reactor.stops, 0)
        self.reactor.advance(0.2)
        self.assertEqual(self.reactor.stops, 1)
        self.stop()
        self.assertEqual(self.talk(sniffed), None)
        self.assertEqual(self.talk(served), b"e")
        self.assertEqual(len(self.records()), 2)
        self.assertIn("drained", self.records())

    def test_no_time(self) -> None:
        """With C{drain: none} it waits for as long as it takes."""
        service = self.started(self.text.replace("5s", "none"))
        client = self.connect(first=b"e")
        service.drain()
        self.reactor.advance(1e6)
        self.assertEqual(self.reactor.stops, 0)
        client.close()
        self.reactor.settle()
        self.assertEqual(self.reactor.stops, 1)
        self.stop()

    def test_stopped_by_somebody_else(self) -> None:
        """A session that is cut is recorded before the log is closed."""
        self.started(self.text)
        self.connect(first=b"e")
        self.stop()
        self.assertEqual(self.records(), ["stopped"])
        self.assertFalse(self.is_open())

    def test_programs(self) -> None:
        """One that will not go is hung up first; who asks again has it killed."""
        code = "trap '' HUP; echo ready; while :; do sleep 1; done"
        text = (
            'listeners: {front: {bind: "unix:front", exec: '
            f'{{command: [sh, -c, "{code}"], kill-after: 1h}}}}}}\n'
            "log: {access: access.log}\n"
        )
        service = self.started(text)
        client = self.connect()
        self.until(lambda: self.talk(client) == b"ready\n")
        service.drain()
        service.drain()
        stopped: list[Any] = []
        service.stopService().addBoth(stopped.append)
        self.until(lambda: bool(stopped))
        self.assertEqual(self.records(), ["drained"])

    def until(self, done: Callable[[], bool]) -> None:
        """Turn until it is so."""
        self.reactor.until(done)

    def test_no_reload_in_the_end(self) -> None:
        """What is about to end opens nothing."""
        service = self.started(self.text)
        self.connect(first=b"e")
        service.drain()
        said = self.reload('listeners: {new: {bind: "unix:new", echo: }}\n')
        self.assertEqual(said, "warn: not reloaded: portmux is about to end")
        self.assertFalse(self.is_open("new"))
        service.drain()
        self.stop()


METRICS = 'metrics: {prometheus: "unix:metrics"}\n'


class MetricsTests(ServiceCase):
    """What Prometheus reads while things happen."""

    def scrape(self, name: str = "metrics") -> dict[str, float]:
        """@return: by name with labels, each number."""
        client = self.connect(name, b"GET /metrics HTTP/1.0\r\n\r\n")
        answer = (self.talk(client) or b"").decode()
        body = answer.partition("\r\n\r\n")[2]
        lines = [line for line in body.splitlines() if not line.startswith("#")]
        pairs = [line.rpartition(" ") for line in lines]
        return {name: float(number) for name, _, number in pairs}

    def hang_up(self, client: socket.socket) -> None:
        client.close()
        self.reactor.settle()

    def test_sessions(self) -> None:
        """Exactly those that there were; none is open in the end."""
        routes = (
            ROUTE + ", {name: c, match: {prefix: c}, close: },"
            ' {name: n, match: {prefix: "n"}, forward: "unix:none"}'
        )
        self.started(ECHO % routes + METRICS)
        self.assertEqual(self.scrape()['portmux_accepted_total{listener="front"}'], 0)
        kinds = {b"echo": 5, b"close": 4, b"none": 3, b"?": 2}
        clients = [
            self.connect(first=first)
            for first, count in kinds.items()
            for _ in range(count)
        ]
        found = self.scrape()
        self.assertEqual(found['portmux_accepted_total{listener="front"}'], 14)
        # Who was not reset may still be reading.
        self.assertGreaterEqual(found['portmux_sessions_open{listener="front"}'], 5)
        for client in clients:
            self.hang_up(client)
        found = self.scrape()
        text = 'portmux_sessions_total{cause="%s",listener="front",route="%s"}'
        ways = {"e": 5, "c": 4, "n": 3}
        for route, count in ways.items():
            self.assertEqual(found[text % ("match", route)], count)
        self.assertEqual(found[text % ("none-left", "close")], 2)
        self.assertEqual(found['portmux_sessions_open{listener="front"}'], 0)
        sent = 'portmux_sent_bytes_total{listener="front",route="e"}'
        self.assertEqual(found[sent], 5 * len("echo"))
        backend = '{backend="unix:none",listener="front"}'
        self.assertEqual(found["portmux_connect_attempts_total" + backend], 3)
        self.assertEqual(found["portmux_connect_errors_total" + backend], 3)
        ends = {key: n for key, n in found.items() if "portmux_ends_total" in key}
        self.assertEqual(sum(ends.values()), 14)
        self.assertEqual(found["portmux_descriptors_used"], 0)

    def test_numbers_outlive_reloads(self) -> None:
        """Also those of a listener that was gone and came back."""
        other = 'listeners: {other: {bind: "unix:other", echo: }}\n' + METRICS
        self.started(ECHO % ROUTE + METRICS)
        self.hang_up(self.connect(first=b"e"))
        self.reload(other)
        self.reload("listeners: nonsense")
        self.reload(ECHO % ROUTE.replace("prefix: e", "prefix: f") + METRICS)
        self.hang_up(self.connect(first=b"f"))
        found = self.scrape()
        self.assertEqual(found['portmux_accepted_total{listener="front"}'], 2)
        self.assertEqual(found['portmux_accepted_total{listener="other"}'], 0)
        self.assertEqual(found['portmux_reloads_total{result="ok"}'], 2)
        self.assertEqual(found['portmux_reloads_total{result="refused"}'], 1)

    def test_reload(self) -> None:
        """The address comes, moves and goes with the configuration."""
        self.started(ECHO % ROUTE)
        self.assertFalse(self.is_open("metrics"))
        self.reload(ECHO % ROUTE + METRICS)
        self.assertTrue(self.scrape())
        self.reload(ECHO % ROUTE + METRICS.replace("unix:metrics", "unix:moved"))
        self.assertFalse(self.is_open("metrics"))
        self.assertTrue(self.scrape("moved"))
        self.reload(ECHO % ROUTE)
        self.assertFalse(self.is_open("moved"))

    def test_hand_on(self) -> None:
        """A listener may get what was the metrics' address."""
        self.started(ECHO % ROUTE + METRICS)
        self.reload((ECHO % ROUTE).replace("unix:front", "unix:metrics"))
        self.assertEqual(self.talk(self.connect("metrics"), b"echo"), b"echo")

    def test_only_the_owner_reads(self) -> None:
        self.started(ECHO % ROUTE + METRICS)
        self.assertEqual(Path("metrics").stat().st_mode & 0o777, 0o600)

    def test_drain(self) -> None:
        """The address is free for who comes next, as the listeners' are."""
        service = self.started(ECHO % ROUTE + METRICS)
        client = self.connect(first=b"e")
        service.drain()
        self.assertFalse(self.is_open("metrics"))
        self.hang_up(client)
