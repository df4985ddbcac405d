"""
The line protocol: a command a line, a reply of one or more lines.

Lines that begin with an opening brace are requests of JSON-RPC, each of which is
answered by a line of JSON: so C{portmux ctl} needs one socket only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from portmux.control import commands, jsonrpc
from portmux.control.desk import Desk
from portmux.control.flow import PATIENCE, Flow, cancel
from portmux.control.helping import explained
from portmux.control.lines import LIMIT, Lines
from portmux.control.reply import DONE, Reply
from portmux.control.running import run
from portmux.control.spell import of_line
from portmux.control.watching import Watching, as_line, notification
from portmux.core.events import Event
from portmux.errors import CommandError, Malformed

LONG: Final = 1 << 16
"""Octets of a line of JSON (taste: a thousand times what commands need)."""

_HTTP: Final = re.compile(
    r"(?:[!#$%&'*+.^_`|~A-Za-z0-9-]+ (?:/|\*|[A-Za-z][A-Za-z0-9+.-]*://).*"
    r"|CONNECT \S+) HTTP/[0-9.]+ ?"
)
"""A request line, RFC 9112 section 3. The names of listeners have no slash."""

NO_TOKEN: Final = 1103
"""Our code for a client that has to say the token first."""

WRONG_TOKEN: Final = 1104
"""Our code for one that has said another; it is cut off."""


@implementer(IHalfCloseableProtocol)
class LineSession(Protocol):
    """
    One client.

    @ivar touched: when it last sent something.
    """

    _log = Logger()
    _flow: Flow

    def __init__(
        self, desk: Desk, clock: Any, trusted: bool, left: Callable[[Any], None]
    ) -> None:
        """
        @param clock: counts seconds, and calls later.
        @param trusted: nobody asks this client for the token.
        @param left: told when the connection is over.
        """
        self.touched: float = clock.seconds()
        self._desk = desk
        self._clock = clock
        self._trusted = trusted or desk.token is None
        self._left = left
        self._lines = Lines()
        self._fresh = True
        self._unknown: IDelayedCall | None = None
        self._watching: Watching | None = None

    # -- what the transport tells

    def connectionMade(self) -> None:
        self._flow = Flow(self.transport, self._clock, self._desk.turns, self._go_on)
        if not self._trusted:
            self._unknown = self._clock.callLater(PATIENCE, self.abort)

    def dataReceived(self, data: bytes) -> None:
        self.touched = self._clock.seconds()
        if not self._flow.closing:
            self._lines.feed(data)
            self._flow.take_turn()
            if len(self._lines) > LONG:
                self._flow.hold(True)

    def readConnectionLost(self) -> None:
        self._flow.end()
        self._flow.take_turn()

    def writeConnectionLost(self) -> None:
        """Nobody half-closes this direction but us."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._flow.over()
        cancel(self._unknown)
        if self._watching is not None:
            self._watching.stop()
        self._left(self)

    def abort(self) -> None:
        """End it now."""
        self._flow.abort()

    # -- line by line

    def _go_on(self) -> None:
        """Answer a line, if one is there and the client reads."""
        flow = self._flow
        if self._watching is not None and not flow.paused:
            self._watching.resume()
        line = None if flow.paused else self._next()
        if line is not None:
            self._answer(line)
            if len(self._lines) or flow.ended:
                flow.take_turn()
        flow.hold(flow.paused or len(self._lines) > LONG)

    def _next(self) -> str | None:
        """@return: the next line; None: there is none, or none will be any more."""
        lines = self._lines
        lines.limit = LONG if lines.begins_with(b"{") else LIMIT
        try:
            line = lines.next()
        except Malformed as wrong:
            self._sorry(f"Invalid control protocol line: {wrong}")
            self._flow.close()
            return None
        if line is None and self._flow.ended:
            if lines.unfinished:
                self._sorry("IO error: bytes remaining on stream")
            self._flow.close()
        return line

    def _answer(self, line: str) -> None:
        fresh, self._fresh = self._fresh, False
        if self._watching is not None:
            self._flow.close()  # whoever watches says only that it is enough
        elif fresh and _HTTP.fullmatch(line):
            # A browser was led here: what follows is nobody's command.
            word = line.partition(" ")[0].upper()
            self._sorry(f"Control protocol error: Invalid command: {word}")
            self._flow.close()
        elif line.startswith("{"):
            self._answer_json(line)
        else:
            self._answer_line(line)

    def _answer_line(self, line: str) -> None:
        try:
            command = of_line(self._desk.table, line)
            if isinstance(command, commands.Exit):
                self._flow.close()
            elif isinstance(command, commands.Help):
                self._say(explained(self._desk.table, command.command).spelled())
            elif isinstance(command, commands.Watch):
                self._check_trust()
                self._say(Reply("watching").spelled())
                self._watching = Watching(self._desk.admin, self._flow, as_line)
            else:
                self._say(self._carry_out(command).spelled())
        except CommandError as error:
            self._sorry(": ".join(filter(None, (str(error), error.data))))
            if error.code == WRONG_TOKEN:
                self._flow.close()

    def _answer_json(self, line: str) -> None:
        def carry_out(command: Any) -> Any:
            if isinstance(command, commands.Watch):
                self._check_trust()
                self._watching = Watching(self._desk.admin, self._flow, _as_json)
                return None
            return self._carry_out(command).result

        reply = jsonrpc.answer(line.encode(), self._desk.table, carry_out)
        if reply is not None:
            self._flow.write(reply + b"\n")

    def _carry_out(self, command: Any) -> Reply:
        """@raise CommandError: it was not."""
        if isinstance(command, commands.Auth):
            self._auth(command.token)
            return DONE
        self._check_trust()
        return run(self._desk.admin, command)

    def _check_trust(self) -> None:
        if not self._trusted:
            raise CommandError(NO_TOKEN, "Authentication required: AUTH token")

    def _auth(self, token: str) -> None:
        if not self._desk.knows(token):
            peer = str(self._flow.peer)
            self._log.warn("control: {peer} said a wrong token", peer=peer)
            raise CommandError(WRONG_TOKEN, "This is not the token")
        self._trusted = True
        cancel(self._unknown)

    # -- what is said

    def _sorry(self, text: str) -> None:
        self._say(f"SORRY: {' '.join(text.splitlines())}\n")

    def _say(self, text: str) -> None:
        self._flow.write(text.encode("utf-8", "replace"))


def _as_json(event: Event) -> bytes:
    return notification(event) + b"\n"
