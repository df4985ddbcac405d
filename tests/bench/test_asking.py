"""Tests for L{bench.asking}."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

from twisted.trial.unittest import SynchronousTestCase

from bench.asking import Load
from bench.processes import BenchError


class LoadTests(SynchronousTestCase):
    def test_pace(self) -> None:
        """Where there is one, requests are made no faster."""
        with Load() as load, ExitStack() as kept:
            clients = [kept.enter_context(load.client(load.port)) for _ in range(5)]
            load.ask(clients, 12, 0)
            start = time.perf_counter()
            load.ask(clients, 26, 500)
            self.assertTrue(time.perf_counter() - start >= 0.05)

    def test_hung_up_on(self) -> None:
        """Who is given no answer ends the bench."""
        with (
            Load() as load,
            socket.create_server(("127.0.0.1", 0)) as other,
            load.client(other.getsockname()[1]) as client,
        ):
            other.accept()[0].close()
            self.assertRaises(BenchError, load.ask, [client], 1, 0)
