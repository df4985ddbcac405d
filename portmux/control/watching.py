"""Events for one client that watches; what it does not read in time is left out."""

from __future__ import annotations

import json
from collections.abc import Callable

from portmux.control.admin import Admin
from portmux.control.reply import word
from portmux.core.events import Event


class Watching:
    """Tells a client of events from now on until L{stop}."""

    def __init__(
        self, admin: Admin, write: Callable[[bytes], None], as_json: bool
    ) -> None:
        self._write = write
        self._json = as_json
        self._paused = False
        self._missed = 0
        self._leave = admin.watch(self._told)

    def pause(self) -> None:
        """The client does not read."""
        self._paused = True

    def resume(self) -> None:
        """It does again; how many it has missed it is told."""
        self._paused = False
        if self._missed:
            missed, self._missed = self._missed, 0
            self._told({"event": "missed", "events": missed})

    def stop(self) -> None:
        self._leave()

    def _told(self, event: Event) -> None:
        if self._paused:
            self._missed += 1
        elif self._json:
            self._write(notification(event) + b"\n")
        else:
            self._write(spelled(event).encode("utf-8", "replace"))


def spelled(event: Event) -> str:
    """@return: one line, which begins with a TAB."""
    kind, *others = (f"{key}={word(value)}" for key, value in event.items())
    return "\t" + " ".join([kind.partition("=")[2], *others]) + "\n"


def notification(event: Event) -> bytes:
    """@return: a notification of JSON-RPC, on one line."""
    told = {"jsonrpc": "2.0", "method": "event", "params": dict(event)}
    return json.dumps(told, separators=(",", ":")).encode()
