"""Tests for L{portmux.compat.plexy}."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.app.build import registry
from portmux.compat.plexy import Plexy, seconds, socket, whole
from portmux.config.load import Inputs, load
from portmux.config.model import Config
from portmux.core.address import Host
from portmux.errors import ConfigError


def config(**given: Any) -> Config:
    """@return: what plexy is called with, as a configuration."""
    return load(
        Inputs(
            read=lambda name: b"",
            glob=lambda pattern: [],
            registry=registry(),
            settings=list(Plexy(**given).settings()),
        )
    ).config


class PlexyTests(SynchronousTestCase):
    def test_bare(self) -> None:
        """It idles; it is not reached by portmux ctl, and ends at once."""
        made = config()
        self.assertEqual((made.start, made.drain), ("any", 0.0))
        self.assertEqual(made.control.socket, None)
        self.assertEqual(made.control.commands, "plexy")
        self.assertEqual(
            (made.tunnels.retries, made.tunnels.timeout, made.tunnels.errors),
            (3, 10.0, 1),
        )

    def test_all(self) -> None:
        made = config(
            control=Host("127.0.0.1", 1),
            rpc=Host("::1", 2),
            prometheus=Host("127.0.0.1", 3),
            timeout=0.5,
            retries=7,
            errors=2,
            check=1.5,
            bundle="/ca.pem",
            tunnels=["3000=3001,3002[strategy=Random]", "[::1]:1=x:2"],
        )
        self.assertEqual(made.control.line, Host("127.0.0.1", 1))
        self.assertEqual(made.control.rpc, Host("::1", 2))
        self.assertEqual(made.control.hosts, ("*",))
        self.assertEqual(made.metrics.prometheus, Host("127.0.0.1", 3))
        tunnels = made.tunnels
        self.assertEqual(
            (tunnels.timeout, tunnels.retries, tunnels.errors, tunnels.check_interval),
            (0.5, 7, 2, 1.5),
        )
        self.assertEqual(tunnels.ca_bundle, "/ca.pem")
        self.assertEqual(len(tunnels.open), 2)

    def test_token(self) -> None:
        """Beyond loopback there is none without."""
        beyond = Host("0.0.0.0", 1)
        for name in ("control", "rpc", "prometheus"):
            error = self.assertRaises(ConfigError, config, **{name: beyond})
            (said,) = error.faults
            self.assertRegex(said, f"-{name}-socket: 0.0.0.0:1 .* --token-file is")
            config(**{name: beyond}, token="/token")
        self.assertIsNone(config(token="/token").control.token_file)

    def test_tunnels(self) -> None:
        """One that is none is told as plexy does."""
        for text in ("3000=", "x", "1=2[retries=x]"):
            made = Plexy(tunnels=["1=2", text])
            error = self.assertRaises(ValueError, list, made.settings())
            said = f"Invalid initial tunnels specification: {text}: "
            self.assertTrue(str(error).startswith(said))

    def test_values(self) -> None:
        self.assertEqual(socket("[::1]:5"), Host("::1", 5))
        self.assertEqual((whole("0", 9), seconds("1e1"), seconds("0")), (0, 10.0, 0.0))
        for wrong in ("", "-1", "x", "10", "1.5"):
            self.assertRaises(ValueError, whole, wrong, 9)
        for wrong in ("", "x", "-1", "nan", "inf", "1e99"):
            self.assertRaises(ValueError, seconds, wrong)
        for wrong in ("1", "localhost:1", "127.0.0.1"):
            self.assertRaises(ValueError, socket, wrong)
        said = self.assertRaises(ValueError, socket, ":9999")
        self.assertIn('did you mean "127.0.0.1:9999"?', str(said))
