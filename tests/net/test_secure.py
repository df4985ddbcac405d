"""Tests for L{portmux.net.secure}; what it connects to is Python's own TLS."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress as ignoring
from typing import Any

from portmux.core.address import Host
from portmux.core.effects import Dial
from portmux.core.plan import Forwarding
from portmux.core.pool import Pool, Settings
from portmux.core.reach import Reach, Tls
from portmux.core.record import Record
from portmux.net.dial import Wanted
from portmux.net.secure import Handshake
from portmux.net.stream import Stream
from tests.net.logs import Logged
from tests.net.stage import StageCase, policy
from tests.net.tls import Server, make_certificate

NAME = "db.example.org"


class SecureCase(StageCase):
    """
    @ivar pem: a certificate for L{NAME}, with its key.
    @ivar listening: where the backend waits.
    """

    def setUp(self) -> None:
        super().setUp()
        self.pem = self.path("a.pem")
        make_certificate(self.pem, NAME)
        self.address, self.listening = self.backend()

    def plan(self, **tls: Any) -> Forwarding:
        wanted = Tls(**{"name": NAME, "ca_bundle": self.pem} | tls)
        settings = Settings(timeout=5.0, reach=Reach(wanted))
        return Forwarding(Pool.of([self.address], settings, "db"))

    def client(self, plan: Forwarding, data: bytes = b"abc") -> socket.socket:
        return self.accept(policy([(b"a", plan)]), data)

    def server(self, path: str = "", **options: Any) -> Server:
        """@return: the backend's side, when TLS is agreed on."""
        raw = self.accepted(self.listening)
        return Server(self.reactor, raw, path or self.pem, **options)

    def refused(self, path: str = "", **options: Any) -> Record:
        """@return: the record of a client whose backend was not the right one."""
        with ignoring(ssl.SSLError, ConnectionError):
            self.server(path, **options)
        self.reactor.settle()
        return self.record()


class RelayTests(SecureCase):
    def test_both_ways(self) -> None:
        """The client is plain, the backend is not; the name was asked for."""
        client = self.client(self.plan())
        server = self.server()
        self.assertEqual(server.receive(), (b"abc", False))
        self.assertEqual(server.names, [NAME])
        client.sendall(b"def")
        self.assertEqual(server.receive(), (b"def", False))
        server.send(b"answer")
        self.assertEqual(self.receive(client), b"answer")

    def test_answer_after_the_end(self) -> None:
        """A client that has finished gets what the backend says then."""
        client = self.client(self.plan())
        server = self.server()
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(server.receive(), (b"abc", True))
        server.send(b"answer")
        with ignoring(ssl.SSLWantReadError, OSError):
            server.socket.unwrap().close()
        self.assertEqual(self.receive(client), b"answer")
        self.assertTrue(self.is_ended(client))
        record = self.record()
        self.assertEqual(
            (record.end, record.sent, record.received, record.detail),
            ("done", 3, 6, ""),
        )

    def test_backend_ends_first(self) -> None:
        """It ends both directions: TLS servers mean it so."""
        client = self.client(self.plan())
        server = self.server()
        server.send(b"bye")
        with ignoring(ssl.SSLWantReadError, OSError):
            server.socket.unwrap()
        self.assertEqual(self.receive(client), b"bye")
        self.assertTrue(self.is_ended(client))
        client.close()
        self.assertEqual(self.record().end, "done")

    def test_cut_off(self) -> None:
        """An end that TLS does not tell of is no orderly one."""
        client = self.client(self.plan())
        server = self.server()
        server.receive()
        server.socket.close()
        self.reactor.settle()
        self.assertEqual(self.record().end, "backend-lost")
        client.close()

    def test_much(self) -> None:
        """Several MiB both ways, neither of which is read at once."""
        client = self.client(self.plan())
        server = self.server()
        server.receive()
        wanted, got, sent = bytes(3 << 20), b"", 0
        while len(got) < len(wanted):
            with ignoring(BlockingIOError):
                sent += client.send(wanted[sent : sent + (1 << 18)])
            got += server.receive()[0]
        self.assertEqual(got, wanted)
        server.socket.setblocking(False)
        sent, back = 0, b""
        while len(back) < len(wanted):
            with ignoring(ssl.SSLWantWriteError):
                sent += server.socket.send(wanted[sent : sent + (1 << 18)])
            back += self.receive(client)
        self.assertEqual(back, wanted)

    def test_client_certificate(self) -> None:
        """It is shown to a backend that asks for it."""
        own = self.path("own.pem")
        make_certificate(own, "client.example.org")
        client = self.client(self.plan(certificate=own))
        server = self.server(clients=own)
        self.assertEqual(server.receive(), (b"abc", False))
        server.send(b"answer")
        self.assertEqual(self.receive(client), b"answer")

    def test_no_client_certificate(self) -> None:
        """TLS 1.3 agrees before it tells that there has to be one."""
        client = self.client(self.plan())
        with ignoring(ssl.SSLError, ConnectionError):
            self.server(clients=self.pem)
        self.reactor.settle()
        record = self.record()
        self.assertEqual(record.end, "backend-lost")
        self.assertRegex(record.detail, "TLS: .*alert certificate required")
        client.close()

    def test_connecting_takes_its_time(self) -> None:
        """A backend that says nothing has the time of an attempt, no more."""
        self.client(self.plan())
        self.accepted(self.listening)
        self.reactor.advance(6.0)
        record = self.record()
        self.assertEqual(record.end, "connect-failed")
        self.assertEqual(record.detail, f"{self.address}: connect timeout")

    def test_client_is_gone(self) -> None:
        """Nobody goes on with the handshake."""
        self.client(self.plan())
        raw = self.accepted(self.listening)
        self.stop_all()
        while raw.recv(1 << 16):
            pass
        self.assertEqual(self.record().end, "stopped")


class RefusalTests(SecureCase):
    """No octet of the client goes to a backend that is not the one that was meant."""

    def refusal(self, plan: Forwarding, path: str = "", **options: Any) -> str:
        """@return: why, as the record tells it, and the log."""
        logged = Logged(self, Handshake)
        self.client(plan)
        record = self.refused(path, **options)
        self.assertEqual((record.end, record.sent), ("connect-failed", 0))
        why = record.detail.removeprefix(f"{self.address}: ")
        self.assertEqual(logged.lines, [("warn", f"backend {record.detail}")])
        return why

    def test_issuer(self) -> None:
        """The system's roots do not know it."""
        why = self.refusal(self.plan(ca_bundle=None))
        self.assertEqual(why, "its certificate is self-signed, and not trusted")

    def test_name(self) -> None:
        other = self.path("b.pem")
        make_certificate(other, "other.example.org")
        why = self.refusal(self.plan(ca_bundle=other), other)
        self.assertEqual(why, f"its certificate is not one for {NAME}")

    def test_address(self) -> None:
        """An IP address has to stand in the certificate as one."""
        why = self.refusal(self.plan(name="192.0.2.7"))
        self.assertEqual(why, "its certificate is not one for 192.0.2.7")

    def test_no_name(self) -> None:
        """What DNS could not have is nobody's."""
        why = self.refusal(self.plan(name="my_host"))
        self.assertEqual(why, "its certificate is not one for my_host")

    def test_expired(self) -> None:
        old = self.path("old.pem")
        make_certificate(old, NAME, days=-1)
        why = self.refusal(self.plan(ca_bundle=old), old)
        self.assertEqual(why, "its certificate has expired")

    def test_version(self) -> None:
        """One that is too old is refused by either side."""
        self.client(self.plan(minimum="TLSv1.3"))
        record = self.refused(most=ssl.TLSVersion.TLSv1_2)
        self.assertEqual(record.end, "connect-failed")
        self.assertIn("version", record.detail)

    def test_no_tls(self) -> None:
        """A backend that speaks something else, or nothing."""
        self.client(self.plan())
        raw = self.accepted(self.listening)
        raw.sendall(b"SSH-2.0-x\r\n")
        self.reactor.settle()
        self.assertIn("wrong version number", self.record().detail)
        self.records.clear()
        self.client(self.plan())
        self.accepted(self.listening).shutdown(socket.SHUT_WR)
        self.assertIn("closed during the TLS handshake", self.record().detail)

    def test_files(self) -> None:
        """A bundle that cannot be read is no reason to trust everybody."""
        self.client(self.plan(ca_bundle=self.path("gone")))
        self.assertIn("tls.ca-bundle", self.record().detail)

    def test_ip_address(self) -> None:
        """A certificate of an address is good for it."""
        own = self.path("ip.pem")
        make_certificate(own, "192.0.2.7")
        client = self.client(self.plan(name="192.0.2.7", ca_bundle=own))
        server = self.server(own)
        self.assertEqual(server.receive(), (b"abc", False))
        self.assertEqual(server.names, [None])
        client.close()


class ReacherTests(SecureCase):
    def test_cancel(self) -> None:
        """At whichever stage: nobody is told anything."""
        told: list[object] = []
        reach = Reach(Tls(name=NAME, ca_bundle=self.pem))

        def secured(stream: Stream) -> None:
            told.append(stream)

        attempt = self.engine.reacher.reach(
            Dial(self.address, reach),
            Wanted(b""),
            lambda sock, sent: told.append(sock),
            secured,
            told.append,
        )
        assert attempt is not None
        attempt.cancel()
        self.reactor.settle()
        self.reactor.advance(1.0)
        self.assertEqual(told, [])

    def test_host(self) -> None:
        """Without a name, the certificate has to be the backend's host's."""
        address = Host("127.0.0.1", 1)
        told: list[str] = []
        reach = Reach(Tls(ca_bundle=self.pem))
        self.engine.reacher.reach(
            Dial(address, reach),
            Wanted(b""),
            lambda sock, sent: self.fail("it is not plain"),
            lambda stream: self.fail("nobody is there"),
            told.append,
        )
        self.reactor.settle()
        self.assertEqual(told, ["connection refused"])
