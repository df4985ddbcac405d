"""The limit of descriptors, really met, in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import portmux
from portmux.core.address import Host
from portmux.net.descriptors import SPARE
from portmux.net.listen import Listening, listen, shut
from tests.integration.harness import PATIENCE
from tests.sockets import receive

ROOT = Path(portmux.__file__).parent.parent

LIMIT = 64
"""Descriptors that the process may have open."""

CLIENTS = 500

PROGRAM = f"""
import resource, sys
from portmux.actions.echo import Echo
from portmux.core.address import Host
from portmux.net.accept import Acceptor
from portmux.net.descriptors import Budget
from portmux.net.engine import Engine
from portmux.net.listen import Listening, listen
from tests.engines import KIND
from tests.net.stage import policy
from tests.net.turned import Turned

class Counted(Acceptor):
    tries = 0
    def doRead(self):
        self.tries += 1
        super().doRead()

resource.setrlimit(resource.RLIMIT_NOFILE, ({LIMIT}, {LIMIT}))
reactor, records = Turned(), []
budget = Budget.of_process() if sys.argv[1] == "known" else Budget(10_000)
engine = Engine(reactor, budget, records.append, KIND)
wanted = policy([(b"", Echo().plan())])
(sock,) = listen(Listening(Host("127.0.0.1", 0), backlog=1000), {{}})
acceptor = Counted(
    sock, reactor, budget, lambda: wanted.descriptors,
    lambda sock, source, local: engine.accept(sock, source, local, wanted),
)
acceptor.start()
print(sock.getsockname()[1], flush=True)
most = 0
while len(records) < {CLIENTS}:
    reactor.turn(0.001)
    reactor.advance(0.05)
    most = max(most, len(engine.live))
assert {{(one.sent, one.received, one.end) for one in records}} == {{(4, 4, "done")}}
print(most, acceptor.tries, flush=True)
"""
"""Echoes until all clients have been served; says how many at a time."""


class LimitTests(SynchronousTestCase):
    """
    Many more clients than descriptors: all are served, and whoever waits is free.
    """

    def served(self, budget: str) -> tuple[int, int]:
        """@return: most sessions at a time, and how often accepting was tried."""
        command = [sys.executable, "-c", PROGRAM, budget]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as program:
            assert program.stdout is not None
            port = int(program.stdout.readline())
            clients = []
            for number in range(CLIENTS):
                client = socket.create_connection(("127.0.0.1", port), PATIENCE)
                client.sendall(b"%04d" % number)
                clients.append(client)
            for number, client in enumerate(clients):
                self.assertEqual(receive(client, 4), b"%04d" % number)
                client.close()
            most, tries = program.stdout.readline().split()
        self.assertEqual(program.returncode, 0)
        return int(most), int(tries)

    def test_known_limit(self) -> None:
        """Accepting stops before the limit does: each end lets one in."""
        most, tries = self.served("known")
        self.assertLess(most, LIMIT - SPARE)
        self.assertGreater(most, LIMIT // 4)
        self.assertLess(tries, 3 * CLIENTS)

    def test_unknown_limit(self) -> None:
        """The system refuses, and is asked again after a while only."""
        most, tries = self.served("unknown")
        self.assertGreater(most, LIMIT - SPARE)
        self.assertLess(tries, CLIENTS)


class AgainTests(SynchronousTestCase):
    def test_listen_again(self) -> None:
        """Connections that were closed a moment ago do not hold the port."""
        (sock,) = listen(Listening(Host("127.0.0.1", 0)), {})
        port = sock.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            sock.setblocking(True)
            sock.accept()[0].close()  # first, so that TIME-WAIT is here
            self.assertEqual(client.recv(1), b"")
        shut(sock)
        (sock,) = listen(Listening(Host("127.0.0.1", port)), {})
        shut(sock)
