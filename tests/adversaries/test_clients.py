"""Clients that send noise, nothing, or leave at the worst moment; and very many."""

from __future__ import annotations

import contextlib
import socket
from collections import Counter
from random import Random

from tests.adversaries.siege import SiegeCase
from tests.openings import OPENINGS
from tests.sockets import receive, reset

NOISE = 400
"""Connections that bring noise."""

HALF_OPEN = 300
"""Connections that are held and never say enough."""

SOURCES = 200
"""Addresses that a flood comes from."""

EACH = 10
"""Connections from each of them; more than it may have."""

SHARE = 4
"""What each may have at a time."""

WORDS = b"E flood"

RESETS = 20
"""Clients that leave by a reset, at each stage."""

STAGES = {
    "accepted": b"",
    "while sniffing": b"GET / HT",
    "in a hello": OPENINGS["tls13-chrome"][:300],
    "forwarded": b"SSH-2.0-x\r\n" + b"y" * 100_000,
    "a request": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a body": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
    "echo": b"E " + b"z" * 100_000,
    "a program": b"X " + b"z" * 100_000,
    "no route": b"nothing like it",
    "an expression": b"a" * 5000,
}


class NoiseTests(SiegeCase):
    def test_noise(self) -> None:
        """Random octets, and openings that were damaged, in two pieces; twice."""
        for turn in range(2):
            with self.besieged():
                self.noise(Random(turn))

    def noise(self, random: Random) -> None:
        openings = sorted(OPENINGS.values())
        for turn in range(NOISE):
            data = bytearray(random.choice(openings) if turn % 2 else b"")
            data += random.randbytes(random.randrange(1, 3000))
            for _ in range(random.randrange(5)):
                data[random.randrange(len(data))] = random.randrange(256)
            cut = random.randrange(len(data))
            with self.client() as client, contextlib.suppress(ConnectionError):
                client.sendall(data[:cut])
                client.sendall(data[cut:])


class HalfOpenTests(SiegeCase):
    def test_held(self) -> None:
        """All are let go by portmux, however little they have sent."""
        parts = [b"", b"S", b"GET /", OPENINGS["tls13-chrome"][:60], b"a" * 70]
        with self.besieged():
            clients = [self.client() for _ in range(HALF_OPEN)]
            for index, client in enumerate(clients):
                client.sendall(parts[index % len(parts)])
            for client in clients:
                with contextlib.suppress(ConnectionResetError):
                    receive(client)
                client.close()


class FloodTests(SiegeCase):
    LIMITS = f"{{connections: 1000, per-source: {SHARE}}}"

    def test_flood(self) -> None:
        """Each source gets its share and no more; others have theirs."""
        with self.besieged():
            for _ in range(2):
                self.flood()
                self.calm()
        self.assertLess(self.peak.files - self.quiet, SOURCES * SHARE + 100)

    def flood(self) -> None:
        sources = [f"127.0.{1 + n // 100}.{1 + n % 100}" for n in range(SOURCES)]
        served = Counter[str]()
        clients = [(self.flooding(one), one) for one in sources for _ in range(EACH)]
        for client, source in clients:
            with contextlib.suppress(ConnectionError):
                served[source] += receive(client, len(WORDS)) == WORDS
        for client, _ in clients:
            client.close()
        starved = [source for source in sources if served[source] < SHARE]
        self.assertEqual(starved, [])

    def flooding(self, source: str) -> socket.socket:
        """@return: a client that has asked for an echo, wherever it may get."""
        client = self.client(source)
        with contextlib.suppress(ConnectionError):
            client.sendall(WORDS)
        return client


class ResetTests(SiegeCase):
    def test_resets(self) -> None:
        """At every stage, at once and after the first octet of an answer; twice."""
        for _ in range(2):
            with self.besieged():
                for data in STAGES.values():
                    self.reset(data)

    def reset(self, data: bytes) -> None:
        for turn in range(RESETS):
            client = self.client()
            with contextlib.suppress(ConnectionError):
                client.sendall(data)
            self.leave(client, turn)

    def leave(self, client: socket.socket, turn: int) -> None:
        if turn % 3 == 1:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_WR)
        elif turn % 3 == 2:
            client.settimeout(0.05)  # no answer is an answer, too
            with contextlib.suppress(OSError):
                client.recv(1)
        reset(client)
