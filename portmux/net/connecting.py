"""One connection that is begun, without waiting for it."""

from __future__ import annotations

import errno
import os
import socket
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from portmux.errors import PortmuxError
from portmux.net.accept import bare
from portmux.net.names import Name

if TYPE_CHECKING:
    from portmux.net.dial import Wanted

_IPV6: Final = socket.AF_INET6
_BIND_ADDRESS_NO_PORT: Final = 24  # linux/in.h; Python has no name for it before 3.12
_TURNS: Final = count()
_FAMILIES: Final[dict[int, str]] = {socket.AF_INET: "IPv4", _IPV6: "IPv6"}
_NONBLOCK: Final = int(socket.SOCK_NONBLOCK)
_COMING: Final = (0, errno.EINPROGRESS)


class Begun(NamedTuple):
    """
    A connection that was asked for.

    @ivar sent: of the first bytes.
    @ivar waiting: it is not known yet whether it comes about.
    """

    sock: socket.socket
    sent: int
    waiting: bool


def begin(name: Name, wanted: Wanted) -> Begun | str:
    """@return: why there is no connection, in one clause, instead of one."""
    family, address = name
    try:
        sock = bare(family, _NONBLOCK)
    except OSError as error:
        return clause(error.errno)
    sent = 0
    try:
        if family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, wanted.nodelay)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, wanted.keepalive)
        if wanted.source and family != socket.AF_UNIX:
            _come_from(sock, family, wanted.source)
        code = sock.connect_ex(address)
        if wanted.first and code in _COMING:
            # On loopback and in fast networks the connection is mostly there
            # already; sending tells, and saves a round of the reactor.
            sent, code = sock.send(wanted.first), 0
    except BlockingIOError:
        code = errno.EINPROGRESS
    except _NoSource as error:
        sock.close()
        return str(error)
    except OSError as error:  # refused already; or a path that is too long
        sock.close()
        return clause(error.errno) if error.errno else str(error).lower()
    if code in _COMING:
        return Begun(sock, sent, code != 0)
    sock.close()
    return clause(code)


class _NoSource(PortmuxError):
    """There is no address to connect from; the text says why."""


def _come_from(sock: socket.socket, family: int, source: tuple[str, ...]) -> None:
    """
    Bind to the next of the addresses.

    Without a port: that is chosen when it connects, as one that is free for this
    backend; so there are as many connections to each as there are ports, for
    each address. IP_BIND_ADDRESS_NO_PORT in ip(7).

    @raise _NoSource: none of the addresses is of the family, or it is not ours.
    """
    fitting = [host for host in source if (":" in host) == (family == _IPV6)]
    if not fitting:
        raise _NoSource(f"no source address is {_FAMILIES[family]}")
    host = fitting[next(_TURNS) % len(fitting)]
    try:
        sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        sock.bind((host, 0))
    except OSError as error:
        raise _NoSource(f"source {host}: {clause(error.errno)}") from error


def clause(code: int | None) -> str:
    """@return: what an error of the system means."""
    return os.strerror(code or errno.EIO).lower()
