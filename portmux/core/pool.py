"""Backends, the choice between them, and who is using which."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager

import attrs

from portmux.core.address import Address
from portmux.core.counts import Tally
from portmux.errors import NoBackend


@attrs.define(eq=False, slots=True)
class Backend:
    """
    One target of a pool.

    @ivar active: sessions that hold it now, connecting ones included.
    @ivar tally: how connecting to it went.
    """

    address: Address
    active: int = 0
    tally: Tally = attrs.field(factory=Tally, repr=False)


@attrs.define(eq=False, slots=True)
class Pool:
    """Backends in the order in which they are tried (first-available)."""

    backends: Sequence[Backend]

    @classmethod
    def of(cls, addresses: Sequence[Address]) -> Pool:
        return cls(tuple(Backend(address) for address in addresses))

    def acquire(self, tried: Container[Backend] = ()) -> Backend | None:
        """
        Take the first backend that was not tried yet; give it back by L{release}.

        @return: None when all were tried.
        """
        for backend in self.backends:
            if backend not in tried:
                backend.active += 1
                return backend
        return None

    def release(self, backend: Backend) -> None:
        backend.active -= 1

    @contextmanager
    def lease(self, tried: Container[Backend] = ()) -> Iterator[Backend]:
        """
        Hold a backend for as long as the C{with} block runs.

        @raise NoBackend: all were tried.
        """
        backend = self.acquire(tried)
        if backend is None:
            raise NoBackend("every backend was tried")
        try:
            yield backend
        finally:
            self.release(backend)
