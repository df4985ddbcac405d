"""Events for one client that watches; what it does not read in time is left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from portmux.control.admin import Admin
from portmux.control.flow import Flow
from portmux.control.reply import word
from portmux.core.events import Event


class Watching:
    """Tells a client of events from now on until L{stop}."""

    def __init__(
        self, admin: Admin, flow: Flow, spell: Callable[[Event], bytes]
    ) -> None:
        """@param spell: gives an event as this client is told it."""
        self._flow = flow
        self._spell = spell
        self._missed = 0
        self._leave = admin.watch(self._told)

    def resume(self) -> None:
        """The client reads: how many events it has missed it is told."""
        if self._missed:
            missed, self._missed = self._missed, 0
            self._told({"event": "missed", "events": missed})

    def stop(self) -> None:
        self._leave()

    def _told(self, event: Event) -> None:
        if self._flow.closing:
            return
        if self._flow.paused:
            self._missed += 1
        else:
            self._flow.write(self._spell(event))


def as_line(event: Event) -> bytes:
    """@return: one line of text, which begins with a TAB; without what is empty."""
    (_, kind), *others = event.items()
    line = " ".join([word(kind), *_pairs(others)])
    return f"\t{line}\n".encode("utf-8", "replace")


def _pairs(told: Iterable[tuple[str, Any]]) -> Iterator[str]:
    for key, value in told:
        if isinstance(value, Mapping):
            yield from _pairs(value.items())
        elif value is not None and value != "":
            said = word(value)
            plain = not {" ", '"', "="} & set(said)
            yield f"{key}={said if plain else json.dumps(said, ensure_ascii=False)}"


def notification(event: Event) -> bytes:
    """@return: a notification of JSON-RPC, on one line."""
    told = {"jsonrpc": "2.0", "method": "event", "params": dict(event)}
    return json.dumps(told, separators=(",", ":")).encode()
