"""Tests for L{portmux.config.sources.compact}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.actions.forward import Forward
from portmux.app.build import registry
from portmux.config.load import Inputs, load
from portmux.config.model import Config
from portmux.config.sources.compact import Compact, bare_matchers
from portmux.core.address import Host, Unix
from portmux.core.match.always import Always
from portmux.core.match.ssh import Ssh
from portmux.core.match.tls import Tls
from portmux.errors import ConfigError


def nothing(name: str) -> bytes:
    raise FileNotFoundError(name)


def given(listen: list[str], routes: list[str], *settings: str) -> Inputs:
    """@return: a command line, and no file."""
    return Inputs(
        read=nothing,
        glob=lambda pattern: [],
        registry=registry(),
        settings=settings,
        compact=Compact(tuple(listen), tuple(routes)),
    )


def config(listen: list[str], routes: list[str], *settings: str) -> Config:
    return load(given(listen, routes, *settings)).config


class CompactTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """One listener, its routes in the order of the pairs."""
        routes = ["ssh=127.0.0.1:22", "tls=[::1]:8443", "always=unix:/run/x"]
        (listener,) = config([":8443"], routes).listeners.values()
        self.assertEqual([bind.address for bind in listener.bind], [Host("*", 8443)])
        self.assertEqual(
            [(route.name, route.match, route.action) for route in listener.routes],
            [
                ("ssh", Ssh(), Forward((Host("127.0.0.1", 22),))),
                ("tls", Tls(), Forward((Host("::1", 8443),))),
                ("always", Always(), Forward((Unix("/run/x"),))),
            ],
        )

    def test_addresses(self) -> None:
        """Any that a file may have; a port alone is that of every address."""
        listen = [":1", "127.0.0.1:2", "[::1]:3", "*:4", "unix:/run/x"]
        (listener,) = config(listen, ["tls=a:1"]).listeners.values()
        self.assertEqual(
            [str(bind.address) for bind in listener.bind],
            ["*:1", "127.0.0.1:2", "[::1]:3", "*:4", "unix:/run/x"],
        )

    def test_same_matcher_twice(self) -> None:
        """Each route has a name of its own."""
        (listener,) = config(
            [":1"], ["ssh=a:1", "tls=b:1", "ssh=c:1"]
        ).listeners.values()
        names = [route.name for route in listener.routes]
        self.assertEqual(names, ["ssh", "tls", "ssh-2"])

    def test_settings(self) -> None:
        """They lie over it, as over a file."""
        found = config(
            [":1"], ["ssh=a:1"], "listeners.front.fallback=close", "drain=1s"
        )
        self.assertIsNotNone(found.listeners["front"].fallback)
        self.assertEqual(found.drain, 1.0)

    def test_again(self) -> None:
        """A reload finds the same."""
        same = given([":1"], ["ssh=a:1"])
        self.assertEqual(load(same).config, load(same).config)

    def test_bare_matchers(self) -> None:
        """Only those that mean something without an option."""
        self.assertEqual(
            sorted(bare_matchers(registry())), ["always", "http", "ssh", "tls"]
        )


class FaultTests(SynchronousTestCase):
    def faults(self, listen: list[str], routes: list[str]) -> list[str]:
        error = self.assertRaises(ConfigError, config, listen, routes)
        assert isinstance(error, ConfigError)
        return list(error.faults)

    def test_each(self) -> None:
        """One line: which word, what is wrong, what is allowed."""
        matchers = "allowed: always, http, ssh, tls"
        for word, said in (
            ("x", "is not MATCHER=BACKEND such as ssh=127.0.0.1:22"),
            ("shh=a:1", f'"shh" is no matcher, {matchers}; did you mean "ssh"?'),
            ("prefix=a:1", f'"prefix" needs options, {matchers}'),
            ("source=a:1", f'"source" needs options, {matchers}'),
            (
                "tls=a",
                '"a" has no port, HOST:PORT or [V6]:PORT is allowed',
            ),
            ("tls=", "has no backend, MATCHER=BACKEND such as ssh=127.0.0.1:22 is"),
        ):
            (fault,) = self.faults([":1"], [word])
            self.assertTrue(fault.startswith(f"{word}: {said}"), fault)

    def test_all_at_once(self) -> None:
        """As in a file."""
        self.assertEqual(len(self.faults(["x:1", ":y"], ["a", "b=c:1", "tls=:1"])), 5)

    def test_address(self) -> None:
        """It is named as it was written."""
        for text, said in (
            ("localhost:1", '"localhost" is a name, '),
            ("8443", 'did you mean "*:8443"?'),
            ("::1:8443", 'did you mean "[::1]:8443"?'),
            (":x", '"x" is not a port, 0 to 65535'),
        ):
            (fault,) = self.faults([text], ["tls=a:1"])
            self.assertTrue(fault.startswith(f'--listen {text}: "'), fault)
            self.assertIn(said, fault)

    def test_half(self) -> None:
        """Addresses without routes, and routes without an address."""
        self.assertEqual(
            self.faults([":1"], []),
            [
                "--listen :1: has no route, MATCHER=BACKEND such as ssh=127.0.0.1:22"
                " is needed; matchers: always, http, ssh, tls"
            ],
        )
        self.assertEqual(
            self.faults([], ["ssh=a:1"]),
            ["ssh=a:1: is a route without --listen ADDRESS, such as --listen :443"],
        )
