"""Forward the connection to the first backend that can be connected to."""

from __future__ import annotations

import attrs

from portmux.config.checks import addresses, some
from portmux.core.address import Address
from portmux.core.option import Seconds, at_least, option
from portmux.core.plan import Forwarding
from portmux.core.pool import Pool, Settings
from portmux.core.registry import Registry


@attrs.frozen
class Connect:
    """How connections to backends are made."""

    timeout: Seconds = option(
        "how long one attempt may take, resolving the name included",
        default=Seconds(10.0),
        check=at_least(0.001),
        example="10s",
    )
    attempts: int | None = option(
        "backends tried before the client is closed; none: each of them once",
        default=None,
        check=at_least(1),
        example="2",
    )


@attrs.frozen
class Forward:
    """The connection goes on to a backend; the bytes seen so far go first."""

    to: tuple[Address, ...] = option(
        "backends, tried in this order until one can be connected to",
        value=True,
        check=some("a backend"),
        example='["127.0.0.1:8080", "unix:/run/app.sock"]',
    )
    connect: Connect = option("attempts and their time", factory=Connect)
    source: tuple[str, ...] = option(
        "IP addresses of this machine that connections come from, by turns; none "
        "given: the system chooses",
        default=(),
        check=addresses,
        example='["192.0.2.1", "192.0.2.2"]',
    )

    def plan(self) -> Forwarding:
        connect = self.connect
        settings = Settings(timeout=connect.timeout, attempts=connect.attempts)
        return Forwarding(Pool.of(self.to, settings), source=self.source)


def register(registry: Registry) -> None:
    registry.action("forward", Forward)
