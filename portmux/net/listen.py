"""Open listening sockets; say in one line why one cannot be opened."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Mapping
from contextlib import suppress
from grp import getgrnam
from pwd import getpwnam
from typing import Any, Final

import attrs

from portmux.core.address import Address, BindAddress, Host, Inherited, Unix
from portmux.errors import PortmuxError

CHOICES: Final = 64
"""Ports that are tried where the system chooses one for two families (taste)."""

FIRST_INHERITED: Final = 3
"""systemd hands sockets over from this descriptor on. sd_listen_fds(3)."""


class BindError(PortmuxError):
    """A socket cannot be opened; the text names it and says why."""


@attrs.frozen
class Listening:
    """
    What to listen on, and how.

    @ivar backlog: clients that may wait to be accepted.
    @ivar mode: permissions of a unix socket's file; None: 0600.
    @ivar owner: C{user}, C{user:group} or C{:group} of that file.
    @ivar interface: only clients that come in by this device.
    """

    address: BindAddress
    backlog: int = socket.SOMAXCONN
    mode: int | None = None
    owner: str | None = None
    interface: str | None = None
    keepalive: bool = True
    nodelay: bool = True


def listen(wanted: Listening, environ: Mapping[str, str]) -> list[socket.socket]:
    """
    Open every socket of an address: C{*} and names may have several.

    @param environ: where systemd says what it has handed over.
    @return: listening, non-blocking, closed on exec.
    @raise BindError: one of them cannot be opened; none is left open.
    """
    if isinstance(wanted.address, Inherited):
        return _inherited(wanted, wanted.address, environ)
    # A port that the system chose for one family may be taken in the other.
    chosen = wanted.address == Host("*", 0)
    for left in reversed(range(CHOICES if chosen else 1)):
        try:
            return _listen(wanted, wanted.address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and left:
                continue
            why = _advice(error, wanted.address)
            raise BindError(f"cannot listen on {wanted.address}: {why}") from error
    raise AssertionError("the last choice returns or raises")


def _listen(wanted: Listening, address: Host | Unix) -> list[socket.socket]:
    """@raise OSError: one of the sockets cannot be opened; none is left open."""
    opened: list[socket.socket] = []
    try:
        for family, name in _names(address):
            sock = _bind(wanted, family, _beside(opened, name))
            if sock is not None:
                opened.append(_ready(sock, wanted))
    except OSError:
        for sock in opened:
            shut(sock)
        raise
    if not opened:
        raise OSError(errno.EADDRNOTAVAIL, "no such address here")
    return opened


def adjust(sockets: list[socket.socket], wanted: Listening) -> None:
    """
    Give open sockets of the same address other options; clients do not notice.

    @raise BindError: an option is not allowed to us any more.
    """
    try:
        for sock in sockets:
            _ready(sock, wanted)
            if isinstance(sock, _Lent):
                continue
            if isinstance(sock, _File):
                sock.own(wanted)
            else:
                _restrict(sock, wanted)
    except OSError as error:
        why = _advice(error, wanted.address)
        raise BindError(f"cannot change {wanted.address}: {why}") from error


class _Lent(socket.socket):
    """A socket on which systemd goes on listening: its file is not ours."""


class _File(socket.socket):
    """
    A unix socket whose file is ours.

    @ivar born: user and group that it had at first, for whoever C{owner} leaves out.
    """

    born: tuple[int, int]

    def own(self, wanted: Listening) -> None:
        """@raise OSError: the file cannot have that mode or owner."""
        path = self.getsockname()
        os.chmod(path, 0o600 if wanted.mode is None else wanted.mode)
        owner = self.born if wanted.owner is None else _owner(wanted.owner, self.born)
        if owner != _owned(path):
            os.chown(path, *owner)


def shut(sock: socket.socket) -> None:
    """Close a listening socket; the file of a unix socket that we made goes with it."""
    ours = sock.family == socket.AF_UNIX and not isinstance(sock, _Lent)
    path = sock.getsockname() if ours else None
    sock.close()
    if path:
        with suppress(OSError):  # somebody else has tidied up
            os.unlink(path)


def named(sock: socket.socket) -> Address:
    """@return: what a socket is bound to; the port that the system chose."""
    name = sock.getsockname()
    return Unix(name) if sock.family == socket.AF_UNIX else Host(name[0], name[1])


def _names(address: Host | Unix) -> list[tuple[int, Any]]:
    if isinstance(address, Unix):
        return [(socket.AF_UNIX, address.path)]
    if address.host == "*":
        names = [(socket.AF_INET6, ("::", address.port))]
        return [*names, (socket.AF_INET, ("0.0.0.0", address.port))]
    found = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    return [(family, name) for family, _, _, _, name in found]


def _beside(opened: list[socket.socket], name: Any) -> Any:
    """@return: the name, on the port that the system chose for the first one."""
    if not opened:
        return name
    return (name[0], opened[0].getsockname()[1], *name[2:])


def _bind(wanted: Listening, family: int, name: Any) -> socket.socket | None:
    """@return: None for a family that this system does not have, of C{*}."""
    kind = _File if family == socket.AF_UNIX else socket.socket
    try:
        sock = kind(family, socket.SOCK_STREAM)
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT and wanted.address == Host(
            "*", getattr(wanted.address, "port", 0)
        ):
            return None
        raise
    try:
        if isinstance(sock, _File):
            _bind_unix(sock, wanted, str(name))
            return sock
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if wanted.interface is not None:
            _restrict(sock, wanted)
        sock.bind(name)
    except OSError:
        sock.close()
        raise
    return sock


def _bind_unix(sock: _File, wanted: Listening, path: str) -> None:
    _remove_stale(path)
    before = os.umask(0o177)  # nobody else gets in before the mode is right
    try:
        sock.bind(path)
    finally:
        os.umask(before)
    try:
        sock.born = _owned(path)
        sock.own(wanted)
    except OSError:
        os.unlink(path)
        raise


def _owned(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_uid, found.st_gid


def _restrict(sock: socket.socket, wanted: Listening) -> None:
    device = (wanted.interface or "").encode()
    if (
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0")
        != device
    ):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)


def _remove_stale(path: str) -> None:
    """Remove a socket file that nobody listens on any more; never another file."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return
    except OSError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        if probe.connect_ex(path) == errno.ECONNREFUSED:
            os.unlink(path)


def _owner(text: str, born: tuple[int, int]) -> tuple[int, int]:
    """@raise OSError: there is no such user or group."""
    user, _, group = text.partition(":")
    try:
        uid = getpwnam(user).pw_uid if user else born[0]
        return uid, getgrnam(group).gr_gid if group else born[1]
    except KeyError as error:
        raise OSError(f"no user or group {text!r} here") from error


def _ready(sock: socket.socket, wanted: Listening) -> socket.socket:
    """Options that accepted sockets inherit; then listen."""
    sock.setblocking(False)
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, wanted.keepalive)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, wanted.nodelay)
    sock.listen(wanted.backlog)
    return sock


def _inherited(
    wanted: Listening, address: Inherited, environ: Mapping[str, str]
) -> list[socket.socket]:
    """@see: sd_listen_fds(3): C{LISTEN_PID}, C{LISTEN_FDS}, C{LISTEN_FDNAMES}."""
    if environ.get("LISTEN_PID") != str(os.getpid()):
        raise BindError(
            f"cannot listen on {address}: systemd handed no socket to this process"
            " (it must not fork: use portmux run, or twistd -n)"
        )
    named = environ.get("LISTEN_FDNAMES")
    count = int(environ.get("LISTEN_FDS", "0"))
    names = [] if named is None else named.split(":")
    names += ["unknown"] * (count - len(names))
    found: list[socket.socket] = []
    try:
        for index in range(count):
            if names[index] == address.name:
                found.append(_lent(FIRST_INHERITED + index))
                _ready(found[-1], wanted)
    except OSError as error:
        for sock in found:
            sock.close()
        why = "what systemd handed over cannot be listened on for connections"
        raise BindError(f"cannot listen on {address}: {why}") from error
    if not found:
        known = ", ".join(sorted(set(names[:count]))) or "none"
        raise BindError(f"cannot listen on {address}: systemd handed over {known}")
    return found


def _lent(number: int) -> _Lent:
    """@raise OSError: the descriptor is no socket."""
    copy = os.dup(number)
    try:
        return _Lent(fileno=copy)
    except OSError:
        os.close(copy)
        raise


def _advice(error: OSError, address: BindAddress) -> str:
    if isinstance(error, socket.gaierror):
        return "the name does not resolve"
    if error.errno == errno.EACCES and isinstance(address, Host):
        return "permission denied; ports below 1024 want root or CAP_NET_BIND_SERVICE"
    if error.errno == errno.EADDRINUSE:
        return "address already in use; ss -lnp tells by whom"
    return os.strerror(error.errno).lower() if error.errno else str(error)
