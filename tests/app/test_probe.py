"""Tests for L{portmux.app.probe}; a backend is a socket on the loopback device."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.app.probe import probe
from portmux.core.address import Address, Host, Unix
from portmux.core.limits import Count, Gate, Limits
from portmux.core.match.ssh import Ssh
from portmux.core.plan import Closing, Forwarding
from portmux.core.policy import Policy
from portmux.core.pool import Pool
from portmux.core.sniff import Route, Table, Way

DEAD = Host("127.0.0.1", 1)
"""Where nobody listens: tcpmux is a port below 1024 that systems leave alone."""


def policy(*backends: Address, timeout: float = 10.0, name: str = "front") -> Policy:
    """@return: one with a route and a fallback, both to these backends."""
    ways = [
        Way(way, Forwarding(Pool.of(backends), timeout, 1))
        for way in ("ssh", "fallback")
    ]
    silent = Way("silent", Closing())
    table = Table([Route(Ssh(), ways[0])], fallback=ways[1], silent=silent)
    return Policy(name, table, Gate(Limits(), Count()))


@contextmanager
def backend(backlog: int = 8) -> Iterator[tuple[socket.socket, Host]]:
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as server:
        server.settimeout(10)
        yield server, Host(*server.getsockname())


class ProbeTests(SynchronousTestCase):
    def test_answers(self) -> None:
        """It is connected to once, however many routes it has."""
        with backend() as (server, address):
            found = probe([policy(address), policy(address, name="back")])
            self.assertEqual(
                [(one.listener, one.route, one.backend, one.why) for one in found],
                [
                    (listener, route, address, None)
                    for listener, route in (
                        ("front", "ssh"),
                        ("front", "fallback"),
                        ("back", "ssh"),
                        ("back", "fallback"),
                    )
                ],
            )
            server.accept()[0].close()
            server.setblocking(False)
            self.assertRaises(BlockingIOError, server.accept)

    def test_refusals(self) -> None:
        """Each says why, in a clause."""
        unix = Unix(str(Path(self.mktemp()).absolute()))
        bad = Host("no-such-name.invalid", 80)  # RFC 2606
        found = probe([policy(DEAD, unix, bad)])
        self.assertEqual(
            [one.why for one in found[:3]],
            [
                "connection refused",
                "no such file or directory",
                "the name does not resolve",
            ],
        )

    def test_unix(self) -> None:
        """A socket's file that somebody listens on answers."""
        path = self.mktemp()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            self.assertIsNone(probe([policy(Unix(path))])[0].why)

    def test_next_address_of_a_name(self) -> None:
        """A name answers when one of its addresses does."""
        with backend() as (_, address):
            six = (socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("::1", 1, 0, 0))
            four = (
                socket.AF_INET,
                socket.SOCK_STREAM,
                0,
                "",
                ("127.0.0.1", address.port),
            )
            self.patch(socket, "getaddrinfo", lambda *given, **named: [six, four])
            self.assertIsNone(probe([policy(Host("both", address.port))])[0].why)

    def test_no_answer(self) -> None:
        """Who does not answer is waited for as long as its route would."""
        with backend(backlog=0) as (_, address), socket.socket() as filling:
            filling.connect((address.host, address.port))
            with socket.socket() as more:
                more.setblocking(False)
                more.connect_ex((address.host, address.port))
                started = monotonic()
                found = probe([policy(address, timeout=0.3)])
        self.assertEqual(found[0].why, "no answer in 0.3 s")
        self.assertLess(monotonic() - started, 5)

    def test_in_parallel_and_no_longer_than_that(self) -> None:
        """A resolver that hangs holds up nobody, not even the end of portmux."""
        done = Event()
        self.addCleanup(done.set)

        def hang(*given: Any, **named: Any) -> Any:
            done.wait(60)
            return []

        self.patch(socket, "getaddrinfo", hang)
        names = [Host(f"host-{number}", 80) for number in range(20)]
        started = monotonic()
        found = probe([policy(*names)], longest=0.3)
        self.assertEqual({one.why for one in found}, {"no answer in 0.3 s"})
        self.assertLess(monotonic() - started, 4)

    def test_nothing_to_ask(self) -> None:
        """A listener without backends has nothing to probe."""
        self.assertEqual(probe([policy()]), [])
