"""
Connect to backends, with TLS where it is wanted.

A connection is there once the handshake is over, the certificate's chain has been
verified and the certificate is the backend's (RFC 9525); until then no byte of a
client goes out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import signature
from ipaddress import ip_address
from socket import socket
from typing import Any, Final, Protocol, cast

import attrs
from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet import main
from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import (
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    ISSLTransport,
)
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from portmux.core.address import Address, Host
from portmux.core.effects import Dial
from portmux.core.reach import Tls
from portmux.errors import ConfigError
from portmux.net.contexts import Contexts
from portmux.net.dial import Connected, Dialer, Failed, Wanted
from portmux.net.stream import Stream

Secured = Callable[[Stream], None]
"""Told of a stream on which TLS is spoken; see L{attach}."""

_CLOCKED: Final = "clock" in signature(TLSMemoryBIOFactory.__init__).parameters
"""Whether Twisted would look for the global reactor if it is not told another."""

_WHY: Final = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed, and not trusted",
    19: "comes from a root that is not trusted",
    20: "has an issuer that is not trusted",
    21: "has an issuer that is not trusted",
    23: "was revoked",
    24: "has an issuer that may not issue any",
    26: "is not one for servers",
}
"""OpenSSL's codes, see C{X509_STORE_CTX_get_error(3)}, in our words."""


class Attempt(Protocol):
    """A connection that is under way."""

    def cancel(self) -> None:
        """Nobody is told anything any more."""


@attrs.define(eq=False)
class Reacher:
    """Reaches backends as their pool says."""

    _dialer: Dialer
    _poll: Any
    _contexts: Contexts

    def reach(
        self,
        dial: Dial,
        wanted: Wanted,
        connected: Connected,
        secured: Secured,
        failed: Failed,
    ) -> Attempt | None:
        """
        Exactly one of the callbacks is called, perhaps at once.

        @param connected: for plain connections.
        @return: cancel it to have no callback called; None where one has been.
        """
        if dial.reach.resolve is not None:
            wanted = attrs.evolve(wanted, resolve=dial.reach.resolve)
        tls = dial.reach.tls
        if tls is None:
            return self._dialer.dial(dial.address, wanted, connected, failed)
        try:
            context = self._contexts.get(tls)
        except ConfigError as error:
            failed(str(error))
            return None
        securing = _Securing(
            context, _name(tls, dial.address), dial.address, self._poll, secured, failed
        )
        return securing.begin(self._dialer, wanted)


def _name(tls: Tls, address: Address) -> str:
    if tls.name is not None:
        return tls.name
    return address.host if isinstance(address, Host) else ""


@attrs.define(eq=False)
class _Securing:
    """Dialling, then the handshake."""

    _context: SSL.Context
    _name: str
    _address: Address
    _poll: Any
    _secured: Secured
    _failed: Failed
    _stage: Attempt | None = attrs.field(default=None, init=False)
    _over: bool = attrs.field(default=False, init=False)

    def begin(self, dialer: Dialer, wanted: Wanted) -> _Securing | None:
        wanted = attrs.evolve(wanted, first=b"")
        attempt = dialer.dial(self._address, wanted, self._connected, self._fail)
        if attempt is not None:
            self._stage = attempt
        return None if self._over else self

    def cancel(self) -> None:
        self._over = True
        if self._stage is not None:
            self._stage.cancel()

    def _connected(self, sock: socket, sent: int) -> None:
        handshake = Handshake(
            self._context, self._name, self._address, self._agreed, self._fail
        )
        self._stage = handshake
        Secure.over(Stream(sock, handshake, self._poll), handshake)

    def _agreed(self, stream: Stream) -> None:
        self._over = True
        self._secured(stream)

    def _fail(self, why: str) -> None:
        if not self._over:
            self._over = True
            self._failed(why)


@implementer(ISSLTransport)
class Secure(TLSMemoryBIOProtocol):
    """
    TLS over a stream of ours, and a transport itself.

    Not by C{startTLS}: from Twisted 24.10 on that keeps small writes back until the
    reactor, which has to be the global one, comes round again.

    @ivar wrappedProtocol: has the plain octets; may be replaced.
    @ivar connection: OpenSSL's.
    """

    transport: Stream
    connection: SSL.Connection

    @property
    def ended(self) -> bool:
        """Whether the peer has said that no more will come."""
        return bool(self.connection.get_shutdown() & SSL.RECEIVED_SHUTDOWN)

    @classmethod
    def over(cls, stream: Stream, handshake: Handshake) -> None:
        """Speak first, as clients do."""
        clock: Any = {"clock": stream.reactor} if _CLOCKED else {}
        factory = TLSMemoryBIOFactory(handshake, True, cast(Any, None), **clock)
        secure = cls(factory, handshake)
        # TLS goes on working for a moment after it has said this; at once is too soon.
        lose = partial(FileDescriptor.loseConnection, stream)
        stream.loseConnection = lose  # type: ignore[method-assign]
        stream.protocol = secure
        secure.makeConnection(stream)
        stream.startReading()

    def readConnectionLost(self) -> None:
        """TLS has its own ends; whether it had one is seen from what came before."""
        self.transport.connectionLost(Failure(main.CONNECTION_DONE))


@implementer(IHandshakeListener)
@implementer(IOpenSSLClientConnectionCreator)
class Handshake(TwistedProtocol):
    """
    What a backend's stream is told to until TLS is agreed on.

    @ivar transport: a L{Secure}, which has all that a stream has.
    @ivar refusal: OpenSSL's code for what is wrong with a certificate, and how far
        from the backend's own it stands in the chain.
    """

    transport: Stream
    refusal: tuple[int, int] | None = None
    _log = Logger()
    _over = False
    _connection: SSL.Connection

    def __init__(
        self,
        context: SSL.Context,
        name: str,
        address: Address,
        agreed: Secured,
        failed: Failed,
    ) -> None:
        self._context = context
        self._name = name
        self._address = address
        self._agreed = agreed
        self._failed = failed

    def cancel(self) -> None:
        self._over = True
        self.transport.abortConnection()

    # -- IOpenSSLClientConnectionCreator

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        connection.set_verify(SSL.VERIFY_PEER, self._verified)
        if not _is_ip(self._name):  # RFC 6066 section 3: an address is no name
            connection.set_tlsext_host_name(self._name.encode("ascii"))
        cast(Secure, protocol).connection = self._connection = connection
        return connection

    def _verified(
        self,
        connection: SSL.Connection,
        certificate: Any,
        code: int,
        depth: int,
        ok: int,
    ) -> bool:
        """OpenSSL's verdict counts; what it was is kept for those who ask why."""
        if not ok:
            self.refusal = code, depth
        return bool(ok)

    # -- what the transport tells

    def handshakeCompleted(self) -> None:
        if self._over:
            return
        self._over = True
        why = _mismatch(self._connection, self._name)
        if why is None:
            self._agreed(self.transport)
        else:
            self._warn(why)
            self.transport.abortConnection()
            self._failed(why)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self._over:
            self._over = True
            why = self._why(reason)
            if self.refusal is not None:
                self._warn(why)
            self._failed(why)

    def _why(self, reason: Failure) -> str:
        if self.refusal is not None:
            code, depth = self.refusal
            told = _WHY.get(code, f"fails verification with OpenSSL's code {code}")
            whose = "its certificate" if depth == 0 else "a certificate of its chain"
            return f"{whose} {told}"
        if reason.check(ConnectionClosed):
            return "closed during the TLS handshake"
        return broken(reason) or f"TLS: {reason.getErrorMessage() or 'failed'}"

    def _warn(self, why: str) -> None:
        self._log.warn("backend {address}: {why}", address=self._address, why=why)


def attach(stream: Stream, protocol: TwistedProtocol) -> None:
    """Have a protocol take over a stream that was secured."""
    cast(Secure, stream).wrappedProtocol = protocol
    protocol.makeConnection(stream)


def has_ended(stream: Stream) -> bool:
    """@return: whether TLS is spoken there and the peer has told its end."""
    secure: object = stream
    return isinstance(secure, Secure) and secure.ended


def broken(reason: Failure) -> str:
    """
    @return: what TLS did not go on for, such as an alert of the peer's, which is an
        end as well; empty where that was something else.
    """
    error = reason.value
    if isinstance(error, SSL.Error) and error.args and error.args[0]:
        return f"TLS: {error.args[0][-1][-1]}"
    return ""


def _mismatch(connection: SSL.Connection, name: str) -> str | None:
    """@return: why the certificate is not that of the name."""
    try:
        if _is_ip(name):
            verify_ip_address(connection, name)
        else:
            verify_hostname(connection, name)
    except (VerificationError, CertificateError, ValueError):  # no name DNS could have
        return f"its certificate is not one for {name}"
    return None


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
