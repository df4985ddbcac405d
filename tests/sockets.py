"""What tests do with connected sockets of their own, in blocking mode."""

from __future__ import annotations

import socket
import struct


def receive(sock: socket.socket, size: int = 1 << 62, piece: int = 1 << 18) -> bytes:
    """
    @param piece: octets that are read at a time.
    @return: everything up to the end of the stream, or up to so many octets.
    """
    data = bytearray()
    while len(data) < size:
        part = sock.recv(min(piece, size - len(data)))
        if not part:
            break
        data += part
    return bytes(data)


def reset(sock: socket.socket) -> None:
    """Close so that the other side sees a reset, not an end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def is_reset(sock: socket.socket) -> bool:
    """@return: whether the stream is cut off by a reset, sooner or later."""
    try:
        receive(sock)
    except ConnectionResetError:
        return True
    return False
