"""Tests of the options of portmux.conf."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from portmux.config import model
from portmux.config.limits import Ban, GlobalLimits, Limits
from portmux.config.logs import Log
from portmux.config.model import (
    Bind,
    Config,
    Listener,
    Route,
    Sniff,
    Timeouts,
)
from portmux.config.shape import shape_of
from portmux.core.address import Host, Inherited, Unix
from portmux.core.match.always import Always
from portmux.core.option import Octets, Seconds
from tests.config.kinds import NOTHING, Close, Forward, faults_of, inputs, loaded

MINIMAL = 'listeners: {a: {bind: "*:1", close: }}\n'

ROUTES = "routes: {name: a, match: always, close: }"

FULL = r"""
listeners:
  front:
    bind:
      - "*:443"
      - {address: "[::1]:444", backlog: 10, interface: eth0}
      - {address: unix:/run/x, mode: 0660, owner: "portmux:www-data"}
      - systemd:web
    sniff: {timeout: 5s, limit: 16KiB, silent: 1s, resolution: eager}
    limits:
      connections: 1000
      per-source: 50
      rate: 2.5
      ban: {failures: 10, within: 1m, duration: 1h}
    timeouts: {idle: 10m, half-close: none}
    keepalive: false
    nodelay: false
    routes:
      - {name: ssh, match: ssh, forward: "127.0.0.1:22", limits: {connections: 3}}
      - {name: vpn, match: {prefix: '\00\0e'}, exec: [cat, /etc/motd]}
    fallback: close
    silent: {forward: "127.0.0.1:22"}
    undecided: {close: {reset: true}}
limits: {connections: 10000}
log: {level: warn, format: json, access: /var/log/x}
drain: none
pid: /run/x.pid
"""


class ModelTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """Two keys are enough."""
        config = loaded(MINIMAL).config
        listener = Listener(bind=(Bind(Host("*", 1)),), action=Close())
        self.assertEqual(config, Config(listeners={"a": listener}))
        self.assertEqual(listener.sniff, Sniff())
        self.assertEqual((listener.sniff.timeout, listener.sniff.limit), (3.0, 65536))
        self.assertEqual(
            (listener.timeouts.idle, listener.timeouts.half_close), (None, 60)
        )
        self.assertEqual((config.drain, config.pid, config.log), (10.0, None, Log()))

    def test_every_option(self) -> None:
        config = loaded(FULL).config
        self.assertEqual(config.limits, GlobalLimits(connections=10000))
        self.assertEqual(
            config.log, Log(level="warn", format="json", access="/var/log/x")
        )
        self.assertEqual((config.drain, config.pid), (None, "/run/x.pid"))
        front = config.listeners["front"]
        self.assertEqual(
            front.bind,
            (
                Bind(Host("*", 443)),
                Bind(Host("::1", 444), backlog=10, interface="eth0"),
                Bind(Unix("/run/x"), mode="0660", owner="portmux:www-data"),
                Bind(Inherited("web")),
            ),
        )
        self.assertEqual(front.bind[2].permissions, 0o660)
        self.assertIsNone(front.bind[0].permissions)
        self.assertEqual(
            front.sniff,
            Sniff(
                timeout=Seconds(5.0),
                limit=Octets(16384),
                silent=Seconds(1.0),
                resolution="eager",
            ),
        )
        ban = Ban(10, within=Seconds(60.0), duration=Seconds(3600.0))
        self.assertEqual(
            front.limits, Limits(connections=1000, per_source=50, rate=2.5, ban=ban)
        )
        self.assertEqual(front.timeouts, Timeouts(idle=Seconds(600.0), half_close=None))
        self.assertEqual((front.keepalive, front.nodelay), (False, False))
        self.assertEqual([route.name for route in front.routes], ["ssh", "vpn"])
        self.assertEqual(front.routes[0].limits.connections, 3)
        self.assertEqual(front.fallback, Close())
        self.assertEqual(front.silent, Forward((Host("127.0.0.1", 22),)))
        self.assertEqual(front.undecided, Close(reset=True))

    def test_every_option_says_what_it_is(self) -> None:
        """One line of help without a full stop; an example where none is obvious."""
        classes = [c for c in vars(model).values() if attrs.has(c)]
        options = [field for cls in classes for field in shape_of(cls).all]
        self.assertGreater(len(options), 40)
        for field in options:
            self.assertTrue(field.option.help.isprintable(), field.key)
            self.assertNotRegex(field.option.help, r"\.$|^$|^[A-Z][a-z]", field.key)

    def test_examples_can_be_written(self) -> None:
        """What the documentation shows is not refused."""
        top = shape_of(Listener).fields
        for key in ("fallback", "silent", "undecided"):
            text = f"{key}: {top[key].option.example}"
            self.example(
                f'{{bind: "*:1", routes: {{name: a, match: always, close: }}, {text}}}'
            )
        for cls, around in [
            (Sniff, "sniff"),
            (Limits, "limits"),
            (Timeouts, "timeouts"),
        ]:
            for key, field in shape_of(cls).fields.items():
                text = f"{key}: {field.option.example}"
                silent = ", silent: close" if key == "silent" else ""
                self.example(f'{{bind: "*:1", {ROUTES}, {around}: {{{text}}}{silent}}}')

    def example(self, listener: str) -> None:
        self.assertEqual(
            faults_of(inputs(f"listeners: {{x: {listener}}}")), [], listener
        )


class FaultTests(SynchronousTestCase):
    """What the model refuses, and where it says so."""

    def listener(self, text: str) -> list[str]:
        """@return: faults of a listener, without file and position."""
        lines = faults_of(inputs(f"listeners: {{x: {text}}}"))
        return [line.split(": ", 1)[1].removeprefix("listeners.x") for line in lines]

    def test_needs_a_listener(self) -> None:
        self.assertEqual(faults_of(inputs("")), [f"portmux.yaml:1:1: {NOTHING}"])
        self.assertEqual(
            faults_of(inputs("listeners: {}")),
            [f"portmux.yaml:1:12: {NOTHING}"],
        )

    def test_needs_an_address(self) -> None:
        self.assertEqual(
            self.listener("{bind: [], close: }"),
            [".bind: is empty, an address is needed"],
        )

    def test_routes_or_an_action(self) -> None:
        """Exactly one; told also while other things are wrong."""
        (fault,) = self.listener('{bind: "*:1"}')
        self.assertIn("neither routes nor an action", fault)
        faults = self.listener('{bind: "*", keepalive: on}')
        self.assertEqual(len(faults), 3)
        route = "{name: a, match: always, close: }"
        (fault,) = self.listener(f'{{bind: "*:1", close: , routes: {route}}}')
        self.assertIn("one is allowed", fault)

    def test_without_routes(self) -> None:
        """Nothing falls back, stays silent or undecided where nothing is asked."""
        text = (
            '{bind: "*:1", close: , fallback: close, silent: close, undecided: close}'
        )
        faults = self.listener(text)
        self.assertEqual(
            [fault.split(": ")[0] for fault in faults],
            [".fallback", ".silent", ".undecided"],
        )

    def test_route_names(self) -> None:
        route = "{name: a, match: always, close: }"
        (fault,) = self.listener(f'{{bind: "*:1", routes: [{route}, {route}]}}')
        self.assertIn('.routes.1.name: "a" is there already', fault)

    def test_silent(self) -> None:
        """It must come true, and something must happen then."""
        for text, said in [
            ("sniff: {silent: 4s}, silent: close", ".sniff.silent: is longer"),
            ("sniff: {silent: 1s}", ".sniff.silent: means nothing without a silent"),
        ]:
            (fault,) = self.listener(f'{{bind: "*:1", {ROUTES}, {text}}}')
            self.assertIn(said, fault)
        text = "sniff: {timeout: none, silent: 4s}, silent: close"
        self.assertEqual(self.listener(f'{{bind: "*:1", {ROUTES}, {text}}}'), [])

    def test_options_of_sockets(self) -> None:
        """Each kind of socket has its own."""
        for text, said in [
            ('{address: "*:1", mode: 0600}', ".bind.mode: means nothing for *:1"),
            ('{address: "*:1", owner: me}', ".bind.owner: means nothing for *:1"),
            ("{address: unix:x, interface: a}", ".bind.interface: means nothing"),
            ("{address: systemd:x, backlog: 1}", ".bind.backlog: means nothing"),
            ("{address: unix:x, mode: 0680}", "is not three octal"),
            ("{address: unix:x, owner: 'a:b:c'}", ".bind.owner: "),
            ('{address: "*:1", interface: a/b}', ".bind.interface: "),
        ]:
            (fault,) = self.listener(f"{{bind: {text}, close: }}")
            self.assertIn(said, fault)

    def test_numbers(self) -> None:
        for text, said in [
            ("timeouts: {idle: 0s}", "more than 0"),
            ("sniff: {limit: 2MiB}", "1 to 1MiB"),
            ("sniff: {timeout: 0}", "more than 0"),
        ]:
            (fault,) = self.listener(f'{{bind: "*:1", close: , {text}}}')
            self.assertIn(said, fault)

    def test_same_address_twice(self) -> None:
        """In one listener or in two; a port that the system chooses is another."""
        both = (
            'listeners: {a: {bind: "*:1", close: }, b: {bind: ["*:2", "*:1"], close: }}'
        )
        (fault,) = faults_of(inputs(both))
        self.assertIn("listeners.b.bind.1: *:1 is bound already", fault)
        self.assertEqual(faults_of(inputs(both.replace(":1", ":0"))), [])
        once = 'listeners: {a: {bind: ["127.0.0.1:0", "127.0.0.1:0"], close: }}'
        (fault,) = faults_of(inputs(once))
        self.assertIn(
            "listeners.a.bind.1: 127.0.0.1:0 is bound already, once in a listener",
            fault,
        )

    def test_metrics(self) -> None:
        """They are for this machine, and have an address of their own."""
        text = (
            'listeners: {a: {bind: "127.0.0.1:%d", close: }}\nmetrics: {prometheus: %s}'
        )
        self.assertEqual(faults_of(inputs(text % (1, '"127.0.0.1:2"'))), [])
        self.assertEqual(faults_of(inputs(text % (0, '"127.0.0.1:0"'))), [])
        (fault,) = faults_of(inputs(text % (1, '"127.0.0.1:1"')))
        self.assertIn("metrics.prometheus: 127.0.0.1:1 is a listener's", fault)
        (fault,) = faults_of(inputs(text % (1, '"*:2"')))
        self.assertIn("metrics.prometheus: *:2 may be beyond loopback", fault)
        self.assertIn("token-file is needed", fault)
        (fault,) = faults_of(inputs(text % (1, "9997")))
        self.assertTrue(fault.endswith('did you mean "127.0.0.1:9997"?'), fault)
        with_token = text % (1, '"*:2", token-file: /etc/token')
        self.assertEqual(faults_of(inputs(with_token)), [])

    def test_objects_made_by_hand(self) -> None:
        """The same rules hold without a file."""
        bind = (Bind(Host("*", 1)),)
        error = self.assertRaises(ValueError, Listener, bind=bind)
        self.assertIn("neither routes", str(error))
        self.assertRaises(ValueError, Sniff, silent=5)
        self.assertRaises(ValueError, Bind, Host("*", 1), mode="0600")
        one = Listener(bind=bind, action=Close())
        error = self.assertRaises(ValueError, Config, listeners={"a": one, "b": one})
        self.assertIn("listeners: b: bind: 0: *:1 is bound already", str(error))
        Route(name="a", match=Always(), action=Close())
