"""TLS for tests: a certificate, and a client on a socket that a reactor serves."""

from __future__ import annotations

import datetime
import socket
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLContextFactory
from zope.interface import implementer

from tests.net.turned import Turned


def make_certificate(path: str, name: str = "test.example") -> None:
    """Write a new key and a certificate that it signs itself into one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
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


class Client:
    """A TLS client; a stream that ends without saying so is an error."""

    def __init__(self, reactor: Turned, sock: socket.socket) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # Where OpenSSL 3 would have it, Python has it take a cut for an end.
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        self._reactor = reactor
        self.socket = context.wrap_socket(
            sock, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
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
