"""
HUP: a new configuration, while clients come and stay.

C{PORTMUX_RELOADS} is how often it is read again under load; 50 unless set.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from portmux.app.sockets import Sockets
from portmux.core.address import BindAddress, Host
from portmux.net.accept import Acceptor
from portmux.net.accepting import Accepting
from portmux.net.listen import BindError, Listening, named
from tests.integration.processes import (
    PATIENCE,
    ProcessCase,
    Running,
    backend,
    connect,
    exchange,
    figures,
    say,
    until,
)
from tests.sockets import receive

Places = dict[BindAddress, Listening]

RELOADS = int(os.environ.get("PORTMUX_RELOADS", "50"))

FORWARD = """\
listeners:
  front:
    bind: "127.0.0.1:0"
    routes:
      - {name: %s, match: {prefix: x}, forward: "127.0.0.1:%d"}
"""


def free_port() -> int:
    """@return: a port that nobody had a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def inode(running: Running, port: int) -> str:
    """@return: what the system calls the socket that listens on a port."""
    opened = running.descriptors()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        local, state, number = fields[1], fields[3], fields[9]
        listens = state == "0A" and int(local.partition(":")[2], 16) == port
        if listens and f"socket:[{number}]" in opened:
            return number
    raise AssertionError(f"nobody listens on {port}")


class Visitors:
    """
    Clients that come one after the other, in several threads.

    @ivar answers: how often each answer was given.
    @ivar failures: what went wrong, clients' exceptions included.
    """

    def __init__(self, port: int, threads: int, data: bytes) -> None:
        self._port = port
        self._data = data
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        self._lock = threading.Lock()
        self.answers: Counter[bytes] = Counter()
        self.failures: list[str] = []

    def __enter__(self) -> Visitors:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                answer = exchange(self._port, self._data)
            except OSError as error:
                with self._lock:
                    self.failures.append(repr(error))
            else:
                with self._lock:
                    self.answers[answer] += 1


class ReloadTests(ProcessCase):
    def test_what_stays_is_not_touched(self) -> None:
        """The same socket listens; sessions keep their backend, new ones do not."""
        with backend(b"A") as first, backend(b"B") as second:
            running = self.portmux(FORWARD % ("one", first))
            port = running.port()
            before = inode(running, port)
            with connect(port) as client:
                client.sendall(b"x1")
                self.assertEqual(receive(client, 3), b"Ax1")
                self.write(FORWARD % ("two", second))
                self.assertEqual(running.reload(), "reloaded: 1 listener(s)")
                self.assertEqual(exchange(port, b"x2"), b"Bx2")
                say(client, b"x3")
            self.assertEqual(inode(running, port), before)
            self.assertEqual(len(running.wait_for("front listens on")), 1)
            routes = [re.search(r"route=(\S+)", line) for line in running.records(2)]
            self.assertEqual([one and one[1] for one in routes], ["two", "one"])

    def test_faults(self) -> None:
        """All are told, and nothing has changed; the next file is taken again."""
        running = self.portmux(FORWARD % ("one", 1))
        text = FORWARD % ("one", 1)
        self.write(text.replace("prefix", "prefx").replace("127.0.0.1:1", "x"))
        said = running.reload()
        self.assertEqual(said, "not reloaded: the configuration has faults")
        file = self.folder / "portmux.conf"
        self.assertEqual(len(re.findall(rf"error: {file}:5:\d+: ", running.text())), 2)
        (self.folder / "portmux.conf").unlink()
        self.assertIn("not reloaded", running.reload())
        self.assertIn("cannot be read: no such file or directory", running.text())
        with backend(b"A") as port:
            self.write(FORWARD % ("one", port))
            self.assertIn("reloaded: 1", running.reload())
            self.assertEqual(exchange(running.port(), b"x"), b"Ax")

    def test_address_cannot_be_had(self) -> None:
        """Then no other listener and no route has changed either."""
        text = (
            'listeners: {{front: {{bind: "127.0.0.1:0", {0}: }},'
            ' other: {{bind: "127.0.0.1:{1}", echo: }}}}\n'
        )
        mine = free_port()
        running = self.portmux(text.format("echo", mine))
        before = inode(running, mine)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.write(text.format("discard", port))
            said = running.reload()
        self.assertRegex(
            said, rf"\Anot reloaded: cannot listen on 127.0.0.1:{port}: address already"
        )
        self.assertEqual(exchange(running.port(), b"x"), b"x")
        self.assertEqual(inode(running, mine), before)
        self.write(text.format("discard", port))
        self.assertIn("reloaded: 2", running.reload())
        self.assertEqual(exchange(port, b"x"), b"x")
        self.assertEqual(exchange(running.port(), b"x"), b"")
        self.assertRaises(ConnectionRefusedError, connect, mine)

    def test_listeners_come_and_go(self) -> None:
        """A new one is there at once; the sessions of one that goes do not end."""
        text = 'listeners: {%s: {bind: "127.0.0.1:%d", echo: }}\n'
        first, second = free_port(), free_port()
        running = self.portmux(text % ("one", first))
        with connect(first) as client:
            say(client, b"1")
            self.write(text % ("two", second))
            self.assertIn("reloaded: 1", running.reload())
            self.assertRaises(ConnectionRefusedError, connect, first)
            self.assertEqual(exchange(second, b"2"), b"2")
            say(client, b"3")

    def test_files_and_format(self) -> None:
        """Records follow the name of their file and their form."""
        text = (
            'listeners: {front: {bind: "127.0.0.1:0", echo: }}\n'
            "log: {access: %s, format: %s}\n"
        )
        running = self.portmux(text % ("one", "text"))
        exchange(running.port(), b"x")
        self.write(text % ("two", "json"))
        self.assertIn("reloaded: 1", running.reload())
        exchange(running.port(), b"x")
        running.tell(signal.SIGTERM)
        self.assertEqual(running.status(), 0)
        self.assertRegex((self.folder / "one").read_text(), r"\A\S+Z session=1 .*\n\Z")
        (line,) = (self.folder / "two").read_text().splitlines()
        self.assertEqual(json.loads(line)["session"], 2)

    def test_permissions(self) -> None:
        """Those of a unix socket follow the file; its clients do not notice."""
        text = 'listeners: {front: {bind: {address: "unix:s"%s}, echo: }}\n'
        running = self.portmux(text % "")
        path = self.folder / "s"
        before = path.stat().st_ino
        for option, mode in ((', mode: "0666"', 0o666), (', mode: "0660"', 0o660)):
            self.write(text % option)
            self.assertIn("reloaded: 1", running.reload())
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), mode)
        self.write(text % "")
        self.assertIn("reloaded: 1", running.reload())
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(path.stat().st_ino, before)

    def test_address_moves_under_load(self) -> None:
        """Two listeners take each other's places; no client is refused."""
        one, two = free_port(), free_port()
        text = (
            'listeners: {{a: {{bind: "127.0.0.1:{0}", forward: "127.0.0.1:{2}"}},'
            ' b: {{bind: "127.0.0.1:{1}", forward: "127.0.0.1:{3}"}}}}\n'
            "log: {{access: access.log}}\n"
        )
        with backend(b"A") as first, backend(b"B") as second:
            running = self.portmux(text.format(one, two, first, second))
            with Visitors(one, 2, b"x") as visitors:
                for turn in range(20):
                    ports = (two, one) if turn % 2 == 0 else (one, two)
                    self.write(text.format(*ports, first, second))
                    self.assertIn("reloaded: 2", running.reload())
        self.assertEqual(visitors.failures, [])
        self.assertEqual(set(visitors.answers), {b"Ax", b"Bx"})

    def test_many_reloads_under_load(self) -> None:
        """Not one connection fails; each is answered by one of the backends."""
        log = "log: {access: access.log}\n"
        with backend(b"A") as first, backend(b"B") as second:
            texts = [FORWARD % ("one", first) + log, FORWARD % ("two", second) + log]
            running = self.portmux(texts[0])
            port = running.port()
            with connect(port) as client:
                client.sendall(b"x1")
                self.assertEqual(receive(client, 3), b"Ax1")
                opened, size = len(running.descriptors()), running.memory()
                with Visitors(port, 4, b"x") as visitors:
                    for turn in range(RELOADS):
                        self.write(texts[(turn + 1) % 2])
                        self.assertIn("reloaded: 1", running.reload())
                say(client, b"still")
                until(
                    lambda: len(running.descriptors()) == opened,
                    lambda: f"{running.descriptors()}, there were {opened}",
                )
                grown = (running.memory() - size) / 1024
            running.tell(signal.SIGTERM)
            self.assertEqual(running.status(), 0)  # all records are written
        count = sum(visitors.answers.values())
        figures(f"{RELOADS} reloads, {count} connections, {grown:+.0f} KiB")
        self.assertEqual(visitors.failures, [])
        self.assertEqual(set(visitors.answers), {b"Ax", b"Bx"})
        records = (self.folder / "access.log").read_text().splitlines()
        self.assertEqual(len(records), count + 1)
        ends = Counter(line.partition(" end=")[2] for line in records)
        self.assertEqual(ends, {"done": count + 1})


class WildcardTests(ProcessCase):
    """C{*:443} and C{127.0.0.1:443} cannot both be open."""

    def test_there_and_back(self) -> None:
        """One can become the other all the same."""
        port = free_port()
        text = 'listeners: {front: {bind: "%s:%d", echo: }}\n'
        running = self.portmux(text % ("127.0.0.1", port))
        with connect(port) as client:
            say(client, b"1")
            for host in ("*", "127.0.0.1", "0.0.0.0"):
                self.write(text % (host, port))
                self.assertIn("reloaded: 1", running.reload())
                self.assertEqual(exchange(port, b"2"), b"2")
            say(client, b"3")


@contextmanager
def sockets() -> Iterator[tuple[Sockets, Accepting]]:
    """Some, and who owns them."""
    opened = Sockets({})
    try:
        yield opened, owner("front")
    finally:
        opened.close()


def owner(name: str) -> Accepting:
    """@return: one that accepts nobody yet."""

    def acceptor(address: BindAddress, sock: socket.socket) -> Acceptor:
        raise AssertionError("nobody accepts here")

    return Accepting(name, Logger(), acceptor)


class SocketsTests(SynchronousTestCase):
    """Addresses of TCP, where nobody but the system can tell what is so."""

    def backlog(self, sock: socket.socket) -> int:
        """@return: how many clients may wait. tcp(7), C{TCP_INFO}: C{tcpi_sacked}."""
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        found: int = struct.unpack_from("I", info, 28)[0]
        return found

    def test_backlog(self) -> None:
        """It changes on a socket that listens, and back when the change fails."""
        address = Host("127.0.0.1", free_port())
        with sockets() as (opened, front):

            def apply(backlog: int, *others: BindAddress) -> None:
                wanted: Places = {address: Listening(address, backlog=backlog)}
                wanted |= {other: Listening(other) for other in others}
                opened.apply({"front": wanted}, {"front": front})

            apply(7)
            (sock,) = front.sockets(address)
            self.assertEqual(self.backlog(sock), 7)
            apply(9)
            self.assertEqual(self.backlog(sock), 9)
            self.assertRaises(BindError, apply, 11, Host("192.0.2.1", 1))
            self.assertEqual(self.backlog(sock), 9)
            self.assertEqual(front.sockets(address), [sock])

    def test_ports_that_the_system_chooses(self) -> None:
        """Each listener has one of its own."""
        address = Host("127.0.0.1", 0)
        with sockets() as (opened, first):
            second = owner("second")
            owners = {"front": first, "second": second}
            wanted: dict[str, Places] = {
                name: {address: Listening(address)} for name in owners
            }
            opened.apply(wanted, owners)
            before = [one.sockets(address)[0] for one in (first, second)]
            self.assertNotEqual(named(before[0]), named(before[1]))
            opened.apply(wanted, owners)
            after = [one.sockets(address)[0] for one in (first, second)]
            self.assertEqual(after, before)

    def test_wildcard_cannot_be_had(self) -> None:
        """The address that had to go first comes back."""
        with sockets() as (opened, front):
            own = Host("127.0.0.1", free_port())

            def apply(*addresses: BindAddress) -> None:
                wanted: Places = {one: Listening(one) for one in addresses}
                opened.apply({"front": wanted}, {"front": front})

            apply(own)
            with socket.create_server(("127.0.0.2", own.port)):
                self.assertRaises(BindError, apply, Host("*", own.port))
                with socket.create_connection((own.host, own.port), PATIENCE):
                    pass
            apply(Host("*", own.port))
            self.assertEqual(len(opened), len(front.sockets(Host("*", own.port))))
