"""All listening sockets, by address: opened, handed on and closed as one change."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from portmux.core.address import BindAddress
from portmux.errors import PortmuxError
from portmux.net.listen import Listening, adjust, listen, shut
from portmux.services.listener import ListenerService

Wanted = Mapping[str, Mapping[BindAddress, Listening]]
"""By listener and address, what is to be open."""


class Sockets:
    """An address stays open while any listener of a new configuration wants it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._open: dict[BindAddress, Listening] = {}
        self._owner: dict[BindAddress, ListenerService] = {}

    def apply(self, wanted: Wanted, services: Mapping[str, ListenerService]) -> None:
        """
        Open, hand on and close until exactly this is open.

        @param services: the listeners by name; all of C{wanted} are there.
        @raise PortmuxError: something cannot be opened or changed; then
            everything is as it was.
        """
        asked = {
            address: (services[name], listening)
            for name, addresses in wanted.items()
            for address, listening in addresses.items()
        }
        fresh = self._open_missing(asked)
        try:
            self._adjust({address: item[1] for address, item in asked.items()})
        except PortmuxError:
            _shut_all(fresh)
            raise
        for address in [address for address in self._open if address not in asked]:
            self._release(address)
        for address, (service, listening) in asked.items():
            owner = self._owner.get(address)
            if owner is not service:
                moved = owner.remove(address) if owner is not None else fresh[address]
                service.add(address, moved)
            self._owner[address] = service
            self._open[address] = listening

    def close(self) -> None:
        """Close everything."""
        for address in list(self._open):
            self._release(address)

    def _open_missing(
        self, asked: Mapping[BindAddress, tuple[ListenerService, Listening]]
    ) -> dict[BindAddress, list[socket.socket]]:
        fresh: dict[BindAddress, list[socket.socket]] = {}
        for address, (_, listening) in asked.items():
            if address in self._open:
                continue
            try:
                fresh[address] = listen(listening, self._environ)
            except PortmuxError:
                _shut_all(fresh)
                raise
        return fresh

    def _adjust(self, asked: Mapping[BindAddress, Listening]) -> None:
        changed: list[BindAddress] = []
        for address, before in self._open.items():
            after = asked.get(address, before)
            if after == before:
                continue
            changed.append(address)
            try:
                adjust(self._owner[address].sockets(address), after)
            except PortmuxError:
                for undone in changed:
                    adjust(self._owner[undone].sockets(undone), self._open[undone])
                raise

    def _release(self, address: BindAddress) -> None:
        del self._open[address]
        for sock in self._owner.pop(address).remove(address):
            shut(sock)


def _shut_all(fresh: Mapping[BindAddress, list[socket.socket]]) -> None:
    for sockets in fresh.values():
        for sock in sockets:
            shut(sock)
