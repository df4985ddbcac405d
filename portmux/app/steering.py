"""The addresses at which the program is controlled, and who may."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted.logger import Logger

from portmux.app.sockets import Owner
from portmux.config.control import USUAL
from portmux.config.model import Config
from portmux.control.admin import Admin
from portmux.control.desk import Desk
from portmux.control.http import HttpSession
from portmux.control.line import LineSession
from portmux.control.service import ControlService
from portmux.core.address import Address, BindAddress, Unix
from portmux.errors import PortmuxError
from portmux.net.engine import Engine
from portmux.net.listen import Listening

LINE: Final = "(control.line)"
RPC: Final = "(control.rpc)"
SOCKET: Final = "(control.socket)"
"""Stand in the place of a listener's name, and can be none."""

NAME: Final = "portmux/control"
"""Of the unix socket, in the directory that is made for such things."""

CROWD: Final = 100
"""Clients of JSON-RPC; those that come beyond are told so, as plexy tells them."""

SYSTEM: Final = "/run"
"""Where the system's services have theirs."""


def usual(environ: Mapping[str, str], root: bool) -> str | None:
    """
    @param root: whether the program may write everywhere.
    @return: where the unix socket is if nobody says otherwise.
    """
    if environ.get("RUNTIME_DIRECTORY"):  # systemd.exec(5); several have colons
        return os.path.join(environ["RUNTIME_DIRECTORY"].split(":")[0], "control")
    own = environ.get("XDG_RUNTIME_DIR")
    if own or root:
        return os.path.join(own or SYSTEM, NAME)
    return None


class Steering:
    """
    @ivar services: by the names that stand in the place of a listener's.
    @ivar desk: what clients are told, and by whom.
    """

    _log = Logger()

    def __init__(
        self,
        admin: Admin,
        engine: Callable[[], Engine],
        environ: Mapping[str, str],
        directory: str,
    ) -> None:
        """@param directory: that relative names count from."""
        self.desk = Desk(admin)
        self._engine = engine
        self._environ = environ
        self._directory = directory
        self._told = ""
        self.services = {
            LINE: ControlService("control.line", self._lines, engine),
            RPC: ControlService("control.rpc", self._rpc, engine),
            SOCKET: ControlService("control.socket", self._lines, engine),
        }

    @property
    def owners(self) -> Mapping[str, Owner]:
        """Those who have the sockets, by the names of C{services}."""
        return {name: control.accepting for name, control in self.services.items()}

    def listenings(self, config: Config) -> dict[str, dict[BindAddress, Listening]]:
        """@return: what is to be opened; a directory is made where that is usual."""
        control = config.control
        wanted: dict[str, BindAddress | None] = {
            LINE: control.line,
            RPC: control.rpc,
        }
        wanted[SOCKET] = self._socket(control.socket)
        return {
            name: {address: Listening(address)}
            for name, address in wanted.items()
            if address is not None
        }

    def _socket(self, path: str | None) -> Unix | None:
        if path == USUAL:
            path, why = _prepared(usual(self._environ, os.geteuid() == 0))
            if path is None and why != self._told:
                self._log.info("no control socket for portmux ctl: {why}", why=why)
            self._told = why
        return None if path is None else Unix(os.path.join(self._directory, path))

    def tokens(self, config: Config) -> tuple[bytes | None, bytes | None]:
        """
        @return: what clients have to say to control, and to read metrics.
        @raise PortmuxError: there is a file for it, without any.
        """
        control, metrics = (
            None if path is None else read_token(path, self._directory)
            for path in (config.control.token_file, config.metrics.token_file)
        )
        return control, metrics

    def obey(self, config: Config, token: bytes | None) -> None:
        """
        From now on clients are told by this configuration.

        @param token: the first of L{tokens}.
        """
        self.desk.commands = config.control.commands
        self.desk.hosts = config.control.hosts
        self.desk.token = token

    def _lines(
        self, source: Address, others: int, left: Callable[[Any], None]
    ) -> LineSession:
        trusted = isinstance(source, Unix)  # whoever may open its file
        return LineSession(self.desk, self._engine().reactor, trusted, left)

    def _rpc(
        self, source: Address, others: int, left: Callable[[Any], None]
    ) -> HttpSession:
        trusted, crowded = isinstance(source, Unix), others >= CROWD
        reactor = self._engine().reactor
        return HttpSession(self.desk, reactor, trusted, crowded, left)


def _prepared(path: str | None) -> tuple[str | None, str]:
    """@return: the path, once its directory is there; or none, and why."""
    if path is None:
        return None, "XDG_RUNTIME_DIR is not set; set it, or control.socket to a path"
    try:
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        return None, f"{os.path.dirname(path)} cannot be made: {why}"
    return path, ""


def read_token(path: str, directory: str) -> bytes:
    """
    @return: the first line of the file, without blanks around it.
    @raise PortmuxError: it cannot be read, or there is nothing in it.
    """
    try:
        with open(os.path.join(directory, path), "rb") as opened:
            token = opened.readline().strip()
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        raise PortmuxError(f"token-file {path} cannot be read: {why}") from error
    if not token:
        raise PortmuxError(f"token-file {path} has no token in its first line")
    return token
