"""Talk to a running portmux: one request after another, on one connection."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from portmux.app.steering import NAME, SYSTEM
from portmux.config.sockets import address
from portmux.core.address import Address, Unix

PATIENCE: Final = 30.0
"""Seconds for an answer to come (taste: it is there at once, or never)."""


class Unreachable(Exception):
    """Nobody is there, or it does not answer; the text says where and why."""


class Refused(Exception):
    """It does not do it; the text says why."""


def places(environ: Mapping[str, str]) -> list[Unix]:
    """@return: where portmux' unix socket may be, the user's own first."""
    own = environ.get("XDG_RUNTIME_DIR")
    tops = [own, SYSTEM] if own else [SYSTEM]
    return [Unix(os.path.join(top, NAME)) for top in tops]


class Talk:
    """A connection to portmux' control socket, or to its line address."""

    def __init__(self, sock: socket.socket, name: str) -> None:
        self._sock = sock
        self._name = name
        self._lines = sock.makefile("rb")

    @classmethod
    def to(cls, where: str | None, environ: Mapping[str, str]) -> Talk:
        """
        @param where: an address; None: wherever it usually is.
        @raise ValueError: that is no address.
        @raise Unreachable: nobody is there.
        """
        wanted: list[Any] = places(environ) if where is None else [address(where)]
        tried = []
        for each in wanted:
            try:
                return cls(_connected(each), str(each))
            except OSError as error:
                why = os.strerror(error.errno).lower() if error.errno else str(error)
                tried.append(f"{each}: {why}")
        raise Unreachable(f"no portmux at {'; '.join(tried)}")

    def close(self) -> None:
        self._lines.close()
        self._sock.close()

    def say(self, token: str) -> None:
        """
        Say the token.

        @raise Refused: it is another one.
        """
        self.text(f"AUTH {token}")

    def text(self, line: str) -> list[str]:
        """
        @param line: a command.
        @return: the lines of the reply, without what marks them.
        @raise Refused: it was not done.
        """
        # How many lines there are is known when the next reply begins.
        mark = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "mark"})
        self._send(f"{line}\n{mark}\n")
        first, found = self._line(), []
        if first.startswith("SORRY: "):
            with suppress(Unreachable):  # it may have been cut off for that
                self._line()
            raise Refused(first.removeprefix("SORRY: "))
        while not (more := self._line()).startswith("{"):
            found.append(more.removeprefix("\t"))
        head = first.removeprefix("OK").removeprefix(": ")
        return [*([head] if head else []), *filter(None, found)]

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """
        @return: the result.
        @raise Refused: it was not done.
        """
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": dict(params)}
        self._send(json.dumps(asked) + "\n")
        answer = json.loads(self._line())
        if "error" in answer:
            error = answer["error"]
            said = (error["message"], error.get("data"))
            raise Refused(": ".join(filter(None, said)))
        return answer["result"]

    def events(self) -> Iterator[dict[str, Any]]:
        """@return: what happens, until the connection ends."""
        self.call("watch", {})
        self._sock.settimeout(None)
        while True:
            yield json.loads(self._line())["params"]

    def _send(self, text: str) -> None:
        try:
            self._sock.sendall(text.encode())
        except OSError as error:
            raise Unreachable(f"{self._name} went away: {error}") from error

    def _line(self) -> str:
        try:
            line = self._lines.readline()
        except OSError as error:
            raise Unreachable(f"{self._name} does not answer: {error}") from error
        if not line.endswith(b"\n"):
            raise Unreachable(f"{self._name} ended the connection")
        return line[:-1].decode("utf-8", "replace")


def _connected(where: Address) -> socket.socket:
    """@raise OSError: nobody is there."""
    if not isinstance(where, Unix):
        return socket.create_connection((where.host, where.port), PATIENCE)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(PATIENCE)
        sock.connect(where.path)
    except OSError:
        sock.close()
        raise
    return sock
