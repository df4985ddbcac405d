"""Listeners from tunnels."""

from __future__ import annotations

from typing import Final, TypeVar

import attrs

from portmux.actions.tunnel import Tunnel as Action
from portmux.config.model import Bind, Config, Listener, Timeouts
from portmux.config.sources.tunnel import Options, Tunnel
from portmux.config.tunnels import Tunnels
from portmux.core.health import Ejection
from portmux.core.option import Seconds
from portmux.core.pool import Pool, Settings
from portmux.core.reach import PLAIN, Reach, Tls
from portmux.core.strategies import Strategy

T = TypeVar("T")

LEAST: Final = 0.001
"""Seconds of an attempt to connect: plexy takes 0, which no backend can keep."""

EVERY: Final = 1 << 16
"""Remotes of a tunnel that may be dead at a time: as in plexy, all of them."""


def opened(config: Config) -> Config:
    """@return: the configuration, with a listener for each of its tunnels."""
    listeners = {
        str(tunnel.local): listener(tunnel, config.tunnels)
        for tunnel in config.tunnels.open
    }
    if not listeners:
        return config
    return attrs.evolve(config, listeners={**config.listeners, **listeners})


def listener(tunnel: Tunnel, defaults: Tunnels) -> Listener:
    """@return: what a file would have to say for the tunnel."""
    action = Action(str(tunnel.local), tunnel.remotes, settings(tunnel, defaults))
    return Listener(
        bind=(Bind(tunnel.local),), action=action, timeouts=Timeouts(half_close=None)
    )


def settings(tunnel: Tunnel, defaults: Tunnels) -> Settings:
    """@return: how the pool of a tunnel works."""
    options = tunnel.options
    timeout = _given(options.timeout, defaults.timeout)
    errors = _given(options.errors, defaults.errors)
    recheck = _given(options.check_interval, defaults.check_interval)
    tls = Tls(ca_bundle=defaults.ca_bundle) if options.remote_tls else None
    return Settings(
        strategy=_given(options.strategy, Strategy.RANDOM),
        timeout=max(LEAST, timeout),
        attempts=_given(options.retries, defaults.retries),
        eject=Ejection(max(1, errors), max(LEAST, recheck), most=EVERY),
        reach=PLAIN if tls is None else Reach(tls),
    )


def resolved(pool: Pool) -> Options:
    """@return: the options of a tunnel that has such a pool."""
    made = pool.settings
    attempts = len(pool.backends) if made.attempts is None else made.attempts
    eject = made.eject or Ejection()
    return Options(
        strategy=made.strategy,
        retries=attempts,
        timeout=Seconds(made.timeout),
        errors=eject.errors,
        check_interval=Seconds(eject.recheck),
        remote_tls=made.reach.tls is not None,
    )


def _given(option: T | None, default: T) -> T:
    return default if option is None else option
