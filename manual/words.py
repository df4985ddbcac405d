"""What the words in records mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FIELDS: Final[Mapping[str, str]] = {
    "time": "when the connection was accepted, in UTC; first on the line in text",
    "session": "number of the session, unique in this process",
    "listener": "name of the listener",
    "route": "name of the route; or fallback, silent, undecided, or close where none "
    "of them is configured; - when the session ended before a decision",
    "pattern": "position of the pattern that matched, from 0, where there are several",
    "cause": "why it went that way, see below",
    "client": "address of the client",
    "local": "address that the client connected to",
    "backend": "the backend that the connection went to last, or the action's name",
    "attempts": "attempts to connect to a backend",
    "sent": "octets from the client that were passed on",
    "received": "octets that were passed on to the client",
    "sniffed": "seconds from accepting the connection to the decision",
    "seconds": "seconds from accepting the connection to its end",
    "queued": "seconds that it waited for a backend with room; in text only where it "
    "did",
    "end": "how it ended, see below",
    "facts": "what the bytes told; in text each is a field of its own, such as sni, "
    "alpn, host, method, path, version, software; or what an action counted: "
    "requests, failed",
    "detail": "one clause that says more about the end",
    "hint": "the command that explains why no route matched",
}
"""By name, in the order in which they stand on a line."""

CAUSES: Final[Mapping[str, str]] = {
    "match": "the route matched, and every route above it said no",
    "none-left": "every route said no",
    "limit": "sniff.limit was reached before it was decided",
    "eof": "the client finished sending before it was decided",
    "timeout": "bytes came, and sniff.timeout passed before it was decided",
    "silent": "no byte came within sniff.silent, or within sniff.timeout",
    "refused": "a limit forbade it",
    "-": "the session ended before a decision",
}

ENDS: Final[Mapping[str, str]] = {
    "done": "in order: both sides have finished, or the action has",
    "closed": "the configuration says close",
    "no-route": "no route matched and nothing is configured for such connections",
    "client-lost": "the client's connection was reset or broke",
    "backend-lost": "the backend's connection was reset or broke",
    "connect-failed": "no backend could be connected to; detail says why, for each",
    "no-backend": "no backend of the pool was up, and so none was tried",
    "queue-full": "no backend had room, and as many clients waited as may",
    "queue-timeout": "no backend had room for as long as a client may wait; or a "
    "request of mux had no turn within queue.wait",
    "answer-timeout": "a request of mux had no answer within timeouts.answer, or its "
    "unit is not asked for now",
    "request-timeout": "a client of mux made no whole request within timeouts.request",
    "malformed": "a client of mux sent what is no request, or one over the limit; "
    "detail says what",
    "idle-timeout": "no byte moved for timeouts.idle",
    "half-close-timeout": "one side had finished, then no byte moved for "
    "timeouts.half-close",
    "limit-connections-in-all": "limits.connections of the whole program",
    "limit-connections": "limits.connections of the listener",
    "limit-per-source": "limits.per-source of the listener",
    "limit-rate": "limits.rate of the listener",
    "limit-ban": "the source is banned by limits.ban of the listener",
    "limit-route-connections": "limits.connections of the route",
    "max-time": "a program ran for max-time and was ended",
    "exec-failed": "a program could not be started; detail says why",
    "killed": "an operator has ended it",
    "tunnel-closed": "an operator has closed the tunnel",
    "drained": "portmux was asked to end; drain was over, or it was asked again",
    "stopped": "portmux ended without waiting",
    "error": "a mistake in portmux or an extension, or a body that could not be read; "
    "the log says more",
    "lost": "the connection was gone before anything was known of it",
}
