"""Tests for L{portmux.net.upstream}."""

from __future__ import annotations

import socket

import attrs

from portmux.actions.mux import MuxConnect
from portmux.core.address import Host
from portmux.core.option import Seconds
from portmux.net.upstream import PROBES
from tests.net.test_mux import HubCase


class UpstreamTests(HubCase):
    def test_closed_while_idle(self) -> None:
        """The next request goes over another connection."""
        self.share()
        client = self.client(b"a\n")
        (back,) = self.connections()
        back.sendall(b"A\n")
        self.assertEqual(self.receive(client), b"A\n")
        back.close()
        client.sendall(b"b\n")
        (again,) = self.connections()
        self.assertEqual(self.receive(again), b"b\n")

    def test_half_closed_by_the_target(self) -> None:
        """What it has sent before counts; then the connection is given up."""
        self.share()
        client = self.client(b"a\nb\n")
        (back,) = self.connections()
        back.sendall(b"A\n")
        back.shutdown(socket.SHUT_WR)
        self.assertEqual(self.receive(client), b"A\n")

    def test_descriptors(self) -> None:
        """Each counts while it is there, however it ends."""
        budget = self.engine.budget
        self.share()
        client = self.client(b"a\n")
        (back,) = self.connections()
        self.assertEqual(budget.taken, 3)
        back.sendall(b"A\n")
        self.receive(client)
        client.close()
        self.reactor.settle()
        self.assertEqual(budget.taken, 1)
        back.close()
        self.reactor.settle()
        self.assertEqual(budget.taken, 0)
        self.target.close()
        other = self.client(b"a\n")
        self.assertEqual(budget.taken, 2)
        self.reactor.advance(3)
        self.assertTrue(self.is_ended(other))
        self.assertEqual(budget.taken, 0)

    def test_in_pieces(self) -> None:
        self.share()
        client = self.client(b"a\n")
        (back,) = self.connections()
        for octet in b"Answer\n":
            self.assertEqual(self.receive(client), b"")
            back.sendall(bytes([octet]))
        self.assertEqual(self.receive(client), b"Answer\n")

    def test_keepalive(self) -> None:
        """The system finds out that a target has vanished."""
        listening = self.keep(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        self.share(connect=MuxConnect(keepalive=Seconds(12.0)))
        target = Host("127.0.0.1", listening.getsockname()[1])
        self.plan = attrs.evolve(self.options, to=(target,)).plan()
        self.client(b"a\n")
        self.accepted(listening)
        (sock,) = [
            upstream.transport.socket
            for upstream in self.plan.lasting._upstreams.values()  # type: ignore[union-attr]
        ]
        tcp = socket.IPPROTO_TCP
        self.assertTrue(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        self.assertTrue(sock.getsockopt(tcp, socket.TCP_NODELAY))
        self.assertEqual(sock.getsockopt(tcp, socket.TCP_KEEPIDLE), 12)
        self.assertEqual(sock.getsockopt(tcp, socket.TCP_KEEPINTVL), 4)
        self.assertEqual(sock.getsockopt(tcp, socket.TCP_KEEPCNT), PROBES)
        self.stop_all()
        self.plan.lasting.retire()  # type: ignore[union-attr] # mux has one
