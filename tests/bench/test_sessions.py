"""Sessions at a pace."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from twisted.trial.unittest import SynchronousTestCase

from bench import sessions
from bench.mixed import echo
from bench.sessions import REFUSED, SERVED, Sessions


class SessionsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.kept = ExitStack()
        self.addCleanup(self.kept.close)

    def outcomes(self, port: int) -> set[str]:
        """@return: what becomes of some."""
        load = Sessions(port, 50, 0.02)
        load.run(0.1)
        self.assertGreater(len(load.ended), 2)
        return {how for _, how in load.ended}

    def test_served(self) -> None:
        """Each is told apart by its port, and the pace is kept."""
        load = Sessions(self.kept.enter_context(echo()), 100, 0.02)
        self.assertGreater(load.run(0.3), 50)
        self.assertEqual({how for _, how in load.ended}, {SERVED})
        self.assertEqual(len({port for port, _ in load.ended}), len(load.ended))

    def test_refused(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        self.assertEqual(self.outcomes(port), {REFUSED})

    def test_no_answer(self) -> None:
        """Who waits for too long has failed."""
        self.patch(sessions, "PATIENCE", 0.05)
        listening = self.kept.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.assertEqual(self.outcomes(listening.getsockname()[1]), {"timeout"})
