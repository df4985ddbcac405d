"""Tests for L{portmux.services.health}; backends are unix sockets."""

from __future__ import annotations

import os
import socket
from typing import Any

from portmux.core.address import Unix
from portmux.core.backend import Backend, State
from portmux.core.health import Ejection
from portmux.core.pool import Pool, Settings
from portmux.core.pools import Pools
from portmux.core.reach import Reach, Tls
from portmux.services.health import HealthService
from tests.net.logs import Logged
from tests.net.stage import StageCase
from tests.net.tls import Server, make_certificate


class HealthTests(StageCase):
    """
    @ivar pool: of two backends, of which the first is C{backend}.
    @ivar listening: where it waits.
    """

    def setUp(self) -> None:
        super().setUp()
        self.pools = Pools()
        self.service = HealthService(self.pools, lambda: self.engine)
        self.service.startService()
        self.address, self.listening = self.backend()

    def tearDown(self) -> None:
        if self.service.running:
            self.service.stopService()
        super().tearDown()

    def start(self, eject: Ejection | None = None, **settings: Any) -> Backend:
        """@return: the backend."""
        self.pool = Pool.of(
            [self.address, Unix(self.path("other"))],
            Settings(eject=eject or Ejection(recheck=10.0), **settings),
        )
        self.pools.put("web", self.pool, self.reactor.seconds())
        return self.pool.backends[0]

    def eject(self, backend: Backend) -> None:
        self.pool.failed(backend, "connection refused", self.reactor.seconds())

    def tries(self) -> int:
        """@return: how often the backend was connected to."""
        self.reactor.settle()
        count = 0
        while True:
            try:
                self.listening.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1

    def test_back(self) -> None:
        """It is tried once its time has come, and is up when that succeeds."""
        logged = Logged(self, HealthService)
        backend = self.start()
        self.eject(backend)
        self.reactor.advance(9.9)
        self.assertEqual((self.tries(), backend.state), (0, State.EJECTED))
        self.reactor.advance(0.2)
        self.assertEqual((self.tries(), backend.state), (1, State.UP))
        name = f"pool web: backend {self.address}"
        self.assertEqual(
            logged.lines,
            [
                ("warn", f"{name} is ejected: connection refused"),
                ("info", f"{name} is up: can be connected to"),
            ],
        )
        self.reactor.advance(100.0)
        self.assertEqual(self.tries(), 0)

    def test_told(self) -> None:
        """What an operator wants is its own reason."""
        logged = Logged(self, HealthService)
        backend, now = self.start(), self.reactor.seconds()
        self.pool.drain(backend, now)
        self.pool.enable(backend, now)
        self.pool.remove(backend, now)
        name = f"pool web: backend {self.address} is"
        told = [text.removeprefix(name) for _, text in logged.lines]
        self.assertEqual(told, [" draining", " up: enabled", " removed"])

    def test_again_and_again(self) -> None:
        """At the interval, for as long as it fails; then it is up within one more."""
        backend = self.start()
        os.unlink(self.address.path)
        self.eject(backend)
        for _ in range(5):
            self.reactor.advance(10.0)
            self.reactor.settle()
        self.assertEqual((backend.totals.errors, backend.state), (6, State.EJECTED))
        self.listening = self.keep(socket.socket(socket.AF_UNIX))
        self.listening.bind(self.address.path)
        self.listening.listen()
        self.reactor.advance(10.0)
        self.assertEqual((self.tries(), backend.state), (1, State.UP))

    def test_backoff(self) -> None:
        backend = self.start(Ejection(recheck=10.0, backoff=40.0))
        os.unlink(self.address.path)
        self.eject(backend)
        begun = self.reactor.seconds()
        failed = []
        for _ in range(130):
            before = backend.totals.errors
            self.reactor.advance(1.0)
            self.reactor.settle()
            if backend.totals.errors > before:
                failed.append(self.reactor.seconds() - begun)
        self.assertEqual(failed, [10.0, 30.0, 70.0, 110.0])

    def test_no_answer(self) -> None:
        """A check has the time of an attempt."""
        backend = self.start(Ejection(recheck=10.0), timeout=2.0, reach=TLS)
        self.eject(backend)
        self.reactor.advance(10.0)
        self.accepted(self.listening)
        self.reactor.advance(2.0)
        self.reactor.settle()
        self.assertEqual(backend.health.last_reason, "connect timeout")
        self.assertEqual(backend.health.recheck_at, self.reactor.seconds() + 10.0)

    def test_tls(self) -> None:
        """Where sessions need TLS, so does the check."""
        pem = self.path("a.pem")
        make_certificate(pem, "db.test")
        reach = Reach(Tls(name="db.test", ca_bundle=pem))
        backend = self.start(reach=reach)
        self.eject(backend)
        self.reactor.advance(10.0)
        raw = self.accepted(self.listening)
        self.assertIs(backend.state, State.EJECTED)
        Server(self.reactor, raw, pem)
        self.reactor.settle()
        self.assertIs(backend.state, State.UP)

    def test_not_wanted_any_more(self) -> None:
        """An operator, or a session, was faster; or all ends."""
        for stop in (
            lambda backend: self.pool.enable(backend, 0.0),
            lambda backend: self.pool.disable(backend, 0.0),
            lambda backend: self.pool.remove(backend, 0.0),
            lambda backend: self.pools.keep([], 0.0),
            lambda backend: self.service.stopService(),
        ):
            backend = self.start()
            self.eject(backend)
            stop(backend)
            self.reactor.advance(100.0)
            self.assertEqual(self.tries(), 0)
            self.pools.keep([], 0.0)

    def test_stopped_in_the_middle(self) -> None:
        """What is under way is dropped."""
        backend = self.start(reach=TLS)
        self.eject(backend)
        self.reactor.advance(10.0)
        self.accepted(self.listening)
        self.service.stopService()
        self.reactor.settle()
        self.assertIs(backend.state, State.EJECTED)


TLS = Reach(Tls(name="db.test"))
