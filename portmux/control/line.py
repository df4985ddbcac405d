"""
The line protocol: a command a line, a reply of one or more lines.

Lines that begin with an opening brace are requests of JSON-RPC, each of which is
answered by a line of JSON: so C{portmux ctl} needs one socket only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from portmux.control import commands, jsonrpc
from portmux.control.desk import Desk
from portmux.control.helping import explained
from portmux.control.lines import LIMIT, Lines
from portmux.control.reply import DONE, Reply
from portmux.control.running import run
from portmux.control.spell import of_line
from portmux.control.watching import Watching
from portmux.errors import CommandError, Malformed

LONG: Final = 1 << 16
"""Octets of a line of JSON (taste: a thousand times what commands need)."""

TURN: Final = 16
"""Commands of a client before others have their turn (taste)."""

PATIENCE: Final = 30.0
"""Seconds that a client may take to read something, or to say its token (taste)."""

_HTTP: Final = re.compile(r"[A-Z]+ .*HTTP/[0-9.]+ ?")

LINGER: Final = 5.0
"""Seconds in which a client has the last reply, and ends, too (taste)."""

NO_TOKEN: Final = 1103
"""Our code for a client that has to say the token first."""

WRONG_TOKEN: Final = 1104
"""Our code for one that has said another; it is cut off."""


@implementer(IHalfCloseableProtocol, IPushProducer)
class LineSession(Protocol):
    """
    One client; what it sends is read no faster than it reads the replies.

    @ivar touched: when it last sent something.
    """

    _log = Logger()

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
        self._paused = False
        self._ended = False
        self._closing = False
        self._turn: IDelayedCall | None = None
        self._unknown: IDelayedCall | None = None
        self._stalled: IDelayedCall | None = None
        self._watching: Watching | None = None

    # -- what the transport tells

    def connectionMade(self) -> None:
        self._stream.registerProducer(self, True)
        if not self._trusted:
            self._unknown = self._clock.callLater(PATIENCE, self.abort)

    def dataReceived(self, data: bytes) -> None:
        self.touched = self._clock.seconds()
        if not self._closing:
            self._lines.feed(data)
            self._go_on()

    def readConnectionLost(self) -> None:
        if self._closing:
            self._stream.loseConnection()
        self._ended = True
        self._go_on()

    def writeConnectionLost(self) -> None:
        """Nobody half-closes this direction but us."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closing = True
        for call in (self._turn, self._unknown, self._stalled):
            _cancel(call)
        if self._watching is not None:
            self._watching.stop()
        self._left(self)

    def pauseProducing(self) -> None:
        """The client does not read."""
        self._paused = True
        if self._watching is not None:
            self._watching.pause()
        if self._stalled is None:
            self._stalled = self._clock.callLater(PATIENCE, self.abort)

    def resumeProducing(self) -> None:
        self._paused = False
        _cancel(self._stalled)
        self._stalled = None
        if self._watching is not None:
            self._watching.resume()
        self._go_on()

    def stopProducing(self) -> None:
        """The connection is lost, and C{connectionLost} says so."""

    def abort(self) -> None:
        """End it now."""
        self._closing = True
        self._stream.abortConnection()

    @property
    def _stream(self) -> Any:
        return self.transport

    # -- line by line

    def _go_on(self) -> None:
        """Answer what is there, while the client reads and nobody else waits."""
        _cancel(self._turn)
        for _ in range(TURN):
            if self._closing or self._paused:
                break
            line = self._next()
            if line is None:
                break
            self._answer(line)
        else:
            self._turn = self._clock.callLater(0, self._go_on)
        if not self._closing and not self._ended:
            held = self._paused or len(self._lines) > LONG
            (self._stream.pauseProducing if held else self._stream.resumeProducing)()

    def _next(self) -> str | None:
        """@return: the next line; None: there is none, or none will be any more."""
        lines = self._lines
        lines.limit = LONG if lines.begins_with(b"{") else LIMIT
        try:
            line = lines.next()
        except Malformed as wrong:
            self._sorry(f"Invalid control protocol line: {wrong}")
            self._close()
            return None
        if line is None and self._ended:
            if lines.unfinished:
                self._sorry("IO error: bytes remaining on stream")
            self._close()
        return line

    def _answer(self, line: str) -> None:
        fresh, self._fresh = self._fresh, False
        if self._watching is not None:
            self._close()  # whoever watches says only that it is enough
        elif fresh and _HTTP.fullmatch(line):
            # A browser was led here: what follows is nobody's command.
            word = line.partition(" ")[0]
            self._sorry(f"Control protocol error: Invalid command: {word}")
            self._close()
        elif line.startswith("{"):
            self._answer_json(line)
        else:
            self._answer_line(line)

    def _answer_line(self, line: str) -> None:
        try:
            command = of_line(self._desk.table, line)
            if isinstance(command, commands.Exit):
                self._close()
            elif isinstance(command, commands.Help):
                self._say(explained(self._desk.table, command.command).spelled())
            elif isinstance(command, commands.Watch):
                self._check_trust()
                self._say(Reply("watching").spelled())
                self._watch(json=False)
            else:
                self._say(self._carry_out(command).spelled())
        except CommandError as error:
            self._sorry(": ".join(filter(None, (str(error), error.data))))
            if error.code == WRONG_TOKEN:
                self._close()

    def _answer_json(self, line: str) -> None:
        def carry_out(command: Any) -> Any:
            if isinstance(command, commands.Watch):
                self._check_trust()
                self._watch(json=True)
                return None
            return self._carry_out(command).result

        reply = jsonrpc.answer(line.encode(), self._desk.table, carry_out)
        if reply is not None:
            self._write(reply + b"\n")

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
            peer = str(self._stream.getPeer())
            self._log.warn("control: {peer} said a wrong token", peer=peer)
            raise CommandError(WRONG_TOKEN, "This is not the token")
        self._trusted = True
        _cancel(self._unknown)

    def _watch(self, json: bool) -> None:
        self._watching = Watching(self._desk.admin, self._write, json)

    # -- what is said

    def _sorry(self, text: str) -> None:
        self._say(f"SORRY: {' '.join(text.splitlines())}\n")

    def _say(self, text: str) -> None:
        self._write(text.encode("utf-8", "replace"))

    def _write(self, data: bytes) -> None:
        self._stream.write(data)

    def _close(self) -> None:
        """
        Once all is written; what still comes is dropped.

        To close while there is input that nobody has read would take the last
        reply with it. RFC 1122 section 4.2.2.13.
        """
        self._closing = True
        self._stream.unregisterProducer()
        if self._ended:
            self._stream.loseConnection()
            return
        self._stream.loseWriteConnection()
        self._stream.resumeProducing()
        _cancel(self._stalled)
        self._stalled = self._clock.callLater(LINGER, self.abort)


def _cancel(call: IDelayedCall | None) -> None:
    if call is not None and call.active():
        call.cancel()
