"""Tests of tcp-multiplexer's command line."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.actions.mux import Mux
from portmux.app.build import registry
from portmux.compat.tcp_multiplexer import NAME, PROTOCOLS, Server, duration, listen
from portmux.config.load import Inputs, load
from portmux.config.model import Config
from portmux.core.address import Host
from portmux.core.frame.http import Http
from portmux.errors import ConfigError
from tests.config.kinds import Disk


def mux_of(config: Config) -> Mux:
    action = config.listeners[NAME].action
    assert isinstance(action, Mux)
    return action


def config_of(server: Server) -> Config:
    disk = Disk({})
    settings = tuple(server.settings())
    given = Inputs(
        read=disk.read, glob=disk.glob, registry=registry(), settings=settings
    )
    loaded = load(given)
    assert not loaded.warnings, loaded.warnings
    return loaded.config


class ServerTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """Those of tcp-multiplexer."""
        config = config_of(Server())
        (listener,) = config.listeners.values()
        self.assertEqual(list(config.listeners), [NAME])
        self.assertEqual([bind.address for bind in listener.bind], [Host("*", 8000)])
        self.assertEqual(config.log.level, "warn")
        self.assertEqual((config.drain, config.hangup), (60, "drain"))
        mux = mux_of(config)
        seen = mux.settings()
        self.assertEqual((mux.log.numbers, mux.log.octets), (60, False))
        self.assertEqual(type(mux.protocol).__name__, "Line")
        self.assertEqual(mux.to, (Host("127.0.0.1", 1234),))
        self.assertEqual(
            (seen.connections, seen.queue, seen.answer, seen.request, seen.settle),
            (1, 32, 60, 60, 0),
        )
        self.assertEqual((seen.backoff, seen.longest, seen.unreachable), (1, 30, 3))
        self.assertEqual(
            (seen.keep, seen.replies, mux.connect.keepalive), (True, False, 30)
        )

    def test_all(self) -> None:
        """Each option has its place."""
        server = Server(
            listen=Host("::1", 5020),
            target=Host("inverter.example", 502),
            protocol="modbus",
            timeout=10,
            delay=0.5,
            connections=2,
            backoff=2.5,
            check=90,
            queue=64,
            level="debug",
        )
        config = config_of(server)
        listener = config.listeners[NAME]
        self.assertEqual([bind.address for bind in listener.bind], [Host("::1", 5020)])
        mux = mux_of(config)
        seen = mux.settings()
        self.assertEqual(mux.to, (Host("inverter.example", 502),))
        self.assertEqual(
            (seen.connections, seen.queue, seen.answer, seen.request, seen.settle),
            (2, 64, 10, 10, 0.5),
        )
        self.assertEqual((seen.backoff, mux.connect.keepalive), (2.5, 90))
        self.assertEqual((config.log.level, config.drain), ("debug", 10))
        self.assertTrue(mux.log.octets)

    def test_protocols(self) -> None:
        """Each has a framer; content of HTTP may have 64 MiB."""
        for name in PROTOCOLS:
            protocol = mux_of(config_of(Server(protocol=name))).protocol
            if name == "http":
                assert isinstance(protocol, Http)
                self.assertEqual(protocol.limit, (64 << 20) + (64 << 10))
                self.assertEqual(protocol.answer_limit, protocol.limit)
        error = self.assertRaises(
            ConfigError, list, Server(protocol="modbu").settings()
        )
        self.assertEqual(
            error.faults,
            (
                '--applicationProtocol: "modbu" is no protocol, allowed: echo, http,'
                ' iso8583, modbus, mpu; did you mean "modbus"?',
            ),
        )

    def test_least(self) -> None:
        """What tcp-multiplexer took for the least, or for never, is so here."""
        server = Server(connections=-3, queue=0, backoff=0.0, check=0.0)
        mux = mux_of(config_of(server))
        seen = mux.settings()
        self.assertEqual((seen.connections, seen.queue, seen.backoff), (1, 1, 0.001))
        self.assertIsNone(mux.connect.keepalive)


class DurationTests(SynchronousTestCase):
    def test_as_go_writes_them(self) -> None:
        for text, seconds in (
            ("0", 0),
            ("500ms", 0.5),
            ("1s", 1),
            ("+1m30s", 90),
            ("1h0.5m", 3630),
            (".5s", 0.5),
            ("2.s", 2),
            ("1500us", 0.0015),
            ("1500\xb5s", 0.0015),
            ("1500\u03bcs", 0.0015),
            ("1000000ns", 0.001),
        ):
            self.assertAlmostEqual(duration(text), seconds, msg=text)

    def test_wrong(self) -> None:
        for text in ("", "5", "s", "1x", "-1s", "1 s", "1.2.3s", "1d", "1ss"):
            error = self.assertRaises(ValueError, duration, text)
            self.assertEqual(
                str(error), f'"{text}" is not a duration such as 500ms, 1s or 1m30s'
            )


class ListenTests(SynchronousTestCase):
    def test_port(self) -> None:
        """Alone it is that of every address."""
        self.assertEqual(listen("5020"), Host("*", 5020))
        self.assertEqual(listen("127.0.0.1:5020"), Host("127.0.0.1", 5020))
        self.assertEqual(listen("[::1]:5020"), Host("::1", 5020))

    def test_wrong(self) -> None:
        for text in ("", "x", "99999", "host:1", "\xb2"):
            self.assertRaises(ValueError, listen, text)
