"""The end of a stream: how the peer is told, and what it may not have by then."""

from __future__ import annotations

import fcntl
import socket
import sys
import termios
from typing import Any

from twisted.internet.interfaces import ISSLTransport

from portmux.net.stream import IStream, Stream


def finish_writing(stream: IStream) -> None:
    """
    Tell the peer that no more bytes will come, after those already written.

    On TLS, Twisted's C{loseWriteConnection} reaches the raw socket and the
    peer sees a truncated stream; there C{loseConnection} is the half-close
    (close_notify goes out, the peer's bytes still arrive), but only once no
    producer is registered. RFC 8446 section 6.1.
    """
    stream.unregisterProducer()
    if ISSLTransport.providedBy(stream):
        stream.loseConnection()
    else:
        stream.loseWriteConnection()


def unsent(stream: Any) -> int:
    """@return: octets given to a transport that its socket has not accepted."""
    return int(len(stream.dataBuffer) - stream.offset + stream._tempDataLen)


def under_way(stream: Stream) -> int:
    """@return: octets given to a transport that the peer has not taken yet."""
    queued = fcntl.ioctl(stream.fileno(), termios.TIOCOUTQ, bytes(4))
    return unsent(stream) + int.from_bytes(queued, sys.byteorder)


def unread(descriptor: int) -> int:
    """@return: octets that the peer has sent and that nobody has read."""
    waiting = fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4))
    return int.from_bytes(waiting, sys.byteorder)


def sends_on(stream: Stream) -> bool:
    """
    Tell the peer the end, then see whether it has sent what nobody has read.

    In this order: what comes later resets the connection behind its end.
    """
    finish_writing(stream)
    return bool(stream.connected) and unread(stream.fileno()) > 0


def is_reset(stream: Stream) -> bool:
    """
    @return: whether the peer is gone, though it had ended in order; told once. Of TLS
        it is not known: there an end is that of both directions.
    """
    if ISSLTransport.providedBy(stream):
        return False
    return stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
