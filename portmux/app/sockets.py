"""All listening sockets, by address: opened, handed on and closed as one change."""

from __future__ import annotations

import errno
import socket
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from typing import Protocol

import attrs

from portmux.core.address import BindAddress, Host
from portmux.net.listen import BindError, Listening, adjust, listen, shut

Wanted = Mapping[str, Mapping[BindAddress, Listening]]
"""By listener and address, what is to be open."""

_Key = tuple[BindAddress, str]
"""An address; and the listener's name, where each has a port of its own."""

_EVERY = frozenset({"*", "0.0.0.0", "::"})
"""Addresses that stand for all others."""


class Owner(Protocol):
    """A service that waits on listening sockets: a listener, or the metrics."""

    def add(self, address: BindAddress, sockets: list[socket.socket]) -> None:
        """Wait on them from now on."""

    def remove(self, address: BindAddress) -> list[socket.socket]:
        """@return: those of the address, still listening and owned no more."""

    def sockets(self, address: BindAddress) -> list[socket.socket]:
        """@return: those of an address that it owns."""


@attrs.define(eq=False)
class _Place:
    owner: Owner
    listening: Listening

    def sockets(self) -> list[socket.socket]:
        return self.owner.sockets(self.listening.address)

    def release(self) -> list[socket.socket]:
        return self.owner.remove(self.listening.address)


class Sockets:
    """An address stays open while any listener of a new configuration wants it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._open: dict[_Key, _Place] = {}

    def __len__(self) -> int:
        """@return: how many sockets are open."""
        return sum(len(place.sockets()) for place in self._open.values())

    def apply(self, wanted: Wanted, services: Mapping[str, Owner]) -> None:
        """
        Open, hand on and close until exactly this is open.

        @param services: by name; all of C{wanted} are there.
        @raise BindError: something cannot be opened or changed; then
            everything is as it was.
        """
        asked = {
            _key(name, address): _Place(services[name], listening)
            for name, addresses in wanted.items()
            for address, listening in addresses.items()
        }
        changed = self._adjust(asked)
        try:
            fresh = self._open_missing(asked)
        except BindError:
            self._restore(changed)
            raise
        for key in [key for key in self._open if key not in asked]:
            _shut(self._open.pop(key).release())
        for key, place in asked.items():
            before = self._open.get(key)
            if before is None:
                place.owner.add(place.listening.address, fresh[key])
            elif before.owner is not place.owner:
                place.owner.add(place.listening.address, before.release())
        self._open = asked

    def attempt(
        self, wanted: Wanted, services: Mapping[str, Owner], optional: Container[str]
    ) -> dict[str, BindError]:
        """
        Like L{apply}, but do without what cannot be opened, where it goes without.

        @param optional: names of listeners without which it goes, too.
        @return: those that are not open, and why.
        @raise BindError: another one cannot be opened; everything is as it was.
        """
        try:
            self.apply(wanted, services)
        except BindError:
            if not any(name in optional for name in wanted):
                raise
        else:
            return {}
        sure = {
            name: addresses
            for name, addresses in wanted.items()
            if name not in optional
            or all(_key(name, a) in self._open for a in addresses)
        }
        self.apply(sure, services)
        failed: dict[str, BindError] = {}
        for name in [name for name in wanted if name not in sure]:
            try:
                self.apply({**sure, name: wanted[name]}, services)
                sure[name] = wanted[name]
            except BindError as error:
                failed[name] = error
        return failed

    def close(self) -> None:
        """Close everything."""
        for place in self._open.values():
            _shut(place.release())
        self._open = {}

    def _open_missing(
        self, asked: Mapping[_Key, _Place]
    ) -> dict[_Key, list[socket.socket]]:
        missing = {key: one for key, one in asked.items() if key not in self._open}
        try:
            return self._listen(missing)
        except BindError as error:
            leaving = {
                key: place
                for key, place in self._open.items()
                if key not in asked and any(_clash(key[0], one[0]) for one in missing)
            }
            if not leaving or not _is_taken(error):
                raise
            return self._replace(leaving, missing)

    def _replace(
        self, leaving: Mapping[_Key, _Place], missing: Mapping[_Key, _Place]
    ) -> dict[_Key, list[socket.socket]]:
        """
        Close first, then open: C{*:443} cannot be had beside C{127.0.0.1:443}.

        For that moment clients of the old address are refused.
        """
        for key in leaving:
            _shut(self._open.pop(key).release())
        try:
            return self._listen(missing)
        except BindError:
            for key, place in leaving.items():
                place.owner.add(
                    place.listening.address, self._listen({key: place})[key]
                )
                self._open[key] = place
            raise

    def _listen(self, places: Mapping[_Key, _Place]) -> dict[_Key, list[socket.socket]]:
        """@raise BindError: one cannot be opened; then none is."""
        fresh: dict[_Key, list[socket.socket]] = {}
        try:
            for key, place in places.items():
                fresh[key] = listen(place.listening, self._environ)
        except BindError:
            for sockets in fresh.values():
                _shut(sockets)
            raise
        return fresh

    def _adjust(self, asked: Mapping[_Key, _Place]) -> list[_Key]:
        """Give what stays open its new options; @return: what was changed."""
        changed: list[_Key] = []
        for key, before in self._open.items():
            after = asked.get(key, before).listening
            if after == before.listening:
                continue
            changed.append(key)
            try:
                adjust(before.sockets(), after)
            except BindError:
                self._restore(changed)
                raise
        return changed

    def _restore(self, keys: Iterable[_Key]) -> None:
        for key in keys:
            with suppress(BindError):  # what was refused was not changed either
                adjust(self._open[key].sockets(), self._open[key].listening)


def _key(name: str, address: BindAddress) -> _Key:
    chosen = isinstance(address, Host) and address.port == 0
    return address, name if chosen else ""


def _clash(one: BindAddress, other: BindAddress) -> bool:
    """Whether both cannot be open, if they are not the same."""
    if not isinstance(one, Host) or not isinstance(other, Host):
        return False
    return one.port == other.port and not _EVERY.isdisjoint((one.host, other.host))


def _is_taken(error: BindError) -> bool:
    return getattr(error.__cause__, "errno", None) == errno.EADDRINUSE


def _shut(sockets: Iterable[socket.socket]) -> None:
    for sock in sockets:
        shut(sock)
