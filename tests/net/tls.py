"""TLS for tests: a certificate, and a client on a socket that a reactor serves."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLContextFactory
from zope.interface import implementer

from tests.net.turned import Turned


def make_certificate(path: str, name: str = "test.example", days: int = 1) -> None:
    """
    Write a new key and a certificate that it signs itself into one PEM file.

    @param name: a host's, or an IP address.
    @param days: until it ends; one that has ended began before that.
    """
    try:
        host: x509.GeneralName = x509.IPAddress(ip_address(name))
    except ValueError:
        host = x509.DNSName(name)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([host]), False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    Path(path).write_bytes(
        private + certificate.public_bytes(serialization.Encoding.PEM)
    )


@implementer(IOpenSSLContextFactory)
class ServerContexts:
    """What Twisted asks for contexts, whatever the version of pyOpenSSL."""

    def __init__(self, path: str) -> None:
        self._context = SSL.Context(SSL.TLS_METHOD)
        self._context.use_privatekey_file(path)
        self._context.use_certificate_file(path)

    def getContext(self) -> SSL.Context:
        return self._context


class Peer:
    """
    One end of TLS; a stream that ends without saying so is an error.

    @ivar socket: the stream's.
    """

    def __init__(self, reactor: Turned, wrap: Callable[[], ssl.SSLSocket]) -> None:
        self._reactor = reactor
        self.socket = wrap()
        while True:
            try:
                self.socket.do_handshake()
                break
            except ssl.SSLWantReadError:
                assert reactor.turn(1.0), "the handshake stands still"

    def send(self, data: bytes) -> None:
        self.socket.send(data)
        self._reactor.settle()

    def receive(self) -> tuple[bytes, bool]:
        """
        @return: what arrives now, and whether the peer has ended it.
        @raise ssl.SSLError: the stream was cut off.
        """
        data = b""
        while True:
            self._reactor.settle()
            try:
                more = self.socket.recv(1 << 16)
            except ssl.SSLWantReadError:
                return data, False
            if not more:
                return data, True
            data += more


class Server(Peer):
    """
    What portmux connects to.

    @ivar names: that it was asked for.
    """

    def __init__(
        self,
        reactor: Turned,
        sock: socket.socket,
        path: str,
        clients: str | None = None,
        most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> None:
        """
        @param path: of its key and certificate.
        @param clients: whom it lets in, as a file; None: everybody.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        context.maximum_version = most
        # Where OpenSSL 3 would have it, Python has it take a cut for an end.
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        if clients is not None:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_REQUIRED
        self.names: list[str | None] = []
        context.set_servername_callback(lambda _, name, __: self.names.append(name))
        super().__init__(
            reactor,
            lambda: context.wrap_socket(
                sock,
                server_side=True,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            ),
        )


class Client(Peer):
    """What connects to portmux, and believes everything."""

    def __init__(self, reactor: Turned, sock: socket.socket) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # Where OpenSSL 3 would have it, Python has it take a cut for an end.
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        super().__init__(
            reactor,
            lambda: context.wrap_socket(
                sock, do_handshake_on_connect=False, suppress_ragged_eofs=False
            ),
        )
