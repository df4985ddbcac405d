"""Look after backends that could not be connected to, and tell what becomes of all."""

from __future__ import annotations

from collections.abc import Callable
from socket import socket

import attrs
from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from portmux.core.backend import Backend, Change, State
from portmux.core.effects import Dial
from portmux.core.pool import Pool
from portmux.core.pools import Pools
from portmux.net.dial import Wanted
from portmux.net.engine import Engine
from portmux.net.secure import Attempt
from portmux.net.stream import Stream


class HealthService(Service):
    """Tries each ejected backend again when its time has come."""

    _log = Logger()

    def __init__(self, pools: Pools, engine: Callable[[], Engine]) -> None:
        """@param engine: asked when first needed, after the process has forked."""
        self._pools = pools
        self._engine = engine
        self._checks: dict[Backend, _Check] = {}

    def startService(self) -> None:
        super().startService()
        self._pools.observers.append(self._changed)

    def stopService(self) -> None:
        super().stopService()
        if self._changed in self._pools.observers:
            self._pools.observers.remove(self._changed)
        for check in self._checks.values():
            check.stop()
        self._checks.clear()

    def _changed(self, change: Change) -> None:
        self._tell(change)
        check = self._checks.pop(change.backend, None)
        if check is not None:
            check.stop()
        if change.after is State.EJECTED:
            check = _Check(self._engine(), change.pool, change.backend, self._over)
            self._checks[change.backend] = check
            check.wait()

    def _over(self, check: _Check) -> None:
        """The backend is not ejected any more, or nobody wants to know."""
        if self._checks.get(check.backend) is check:
            del self._checks[check.backend]

    def _tell(self, change: Change) -> None:
        tell = self._log.warn if change.after is State.EJECTED else self._log.info
        told = "removed" if change.after is None else change.after.value
        tell(
            "pool {pool}: backend {backend} is {state}{why}",
            pool=change.pool.name,
            backend=str(change.backend.address),
            state=told,
            why="" if change.reason == told else f": {change.reason}",
        )


@attrs.define(eq=False)
class _Check:
    """Connects to one backend until that succeeds."""

    _engine: Engine
    pool: Pool
    backend: Backend
    _over: Callable[[_Check], None]
    _call: IDelayedCall | None = attrs.field(default=None, init=False)
    _attempt: Attempt | None = attrs.field(default=None, init=False)

    def wait(self) -> None:
        """Until the backend is to be tried."""
        at = self.backend.health.recheck_at
        if at is None:
            self._over(self)
            return
        left = max(0.0, at - self._engine.reactor.seconds())
        self._call = self._engine.reactor.callLater(left, self._try)

    def stop(self) -> None:
        """Whatever it is doing."""
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
        self._disarm()

    def _disarm(self) -> None:
        call, self._call = self._call, None
        if call is not None and call.active():
            call.cancel()

    def _try(self) -> None:
        settings = self.pool.settings
        self._call = self._engine.reactor.callLater(settings.timeout, self._too_late)
        attempt = self._engine.reacher.reach(
            Dial(self.backend.address, settings.reach),
            Wanted(b""),
            self._connected,
            self._secured,
            self._settled,
        )
        if self._call is not None:
            self._attempt = attempt

    def _too_late(self) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
        self._settled("connect timeout")

    def _connected(self, sock: socket, sent: int) -> None:
        sock.close()
        self._settled(None)

    def _secured(self, stream: Stream) -> None:
        stream.abortConnection()
        self._settled(None)

    def _settled(self, why: str | None) -> None:
        self._attempt = None
        self._disarm()
        self.pool.checked(self.backend, why, self._engine.reactor.seconds())
        if why is not None:
            self.wait()
