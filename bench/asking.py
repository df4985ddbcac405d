"""Ask through a proxy by Modbus, and answer behind it, in one thread."""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from bench.processes import BenchError

REQUEST: Final = bytes.fromhex("0001 0000 0006 01 03 0000 000a")
ANSWER: Final = REQUEST[:4] + bytes.fromhex("0017 01 03 14") + bytes(20)

SILENCE: Final = 10.0
"""Seconds without an answer after which the bench gives up."""


class Load:
    """
    Clients, and the target of their requests.

    @ivar port: the target's.
    """

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._target = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._target.setblocking(False)
        self._poll.register(self._target, select.EPOLLIN)
        self._clients: dict[int, socket.socket] = {}
        self._served: dict[int, socket.socket] = {}
        self.port: int = self._target.getsockname()[1]

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._served.values():
            sock.close()
        self._target.close()
        self._poll.close()

    @contextmanager
    def client(self, port: int) -> Iterator[socket.socket]:
        """Connect one more."""
        with socket.create_connection(("127.0.0.1", port)) as client:
            self._poll.register(client, select.EPOLLIN)
            self._clients[client.fileno()] = client
            yield client
            del self._clients[client.fileno()]

    def ask(self, clients: Sequence[socket.socket], requests: int, rate: int) -> None:
        """Have clients ask by turns, one request at a time each, at this pace."""
        free = deque(clients)
        lacking = dict.fromkeys(clients, 0)
        sent, answered, start = 0, 0, time.perf_counter()
        while answered < requests:
            wait = SILENCE
            while free and sent < requests:
                early = start + sent / rate - time.perf_counter() if rate else 0.0
                if early > 0.0:
                    wait = early
                    break
                client = free.popleft()
                lacking[client] = len(ANSWER)
                client.sendall(REQUEST)
                sent += 1
            for client, octets in self._heard(wait):
                lacking[client] -= octets
                if not lacking[client]:
                    answered += 1
                    free.append(client)

    def _heard(self, wait: float) -> Iterator[tuple[socket.socket, int]]:
        """
        Let the target answer what has come.

        @param wait: seconds for something to come.
        @return: clients, and how much they were told.
        @raise BenchError: one of them was hung up on, or all get no answer.
        """
        events = self._poll.poll(wait)
        if not events and wait == SILENCE:
            raise BenchError(f"no answer in {SILENCE:.0f} seconds")
        for number, _ in events:
            client = self._clients.get(number)
            if client is None:
                self._serve(number)
            elif data := client.recv(65536):
                yield client, len(data)
            else:
                raise BenchError("a client was hung up on")

    def _serve(self, number: int) -> None:
        """The target has a connection, or something to answer on one."""
        sock = self._served.get(number)
        if sock is None:
            sock = self._target.accept()[0]
            self._served[sock.fileno()] = sock
            self._poll.register(sock, select.EPOLLIN)
        elif data := sock.recv(65536):
            sock.sendall((data[:2] + ANSWER[2:]) * (len(data) // len(REQUEST)))
        else:
            del self._served[number]
            sock.close()
