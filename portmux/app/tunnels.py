"""Listeners from tunnels."""

from __future__ import annotations

from typing import Final

import attrs

from portmux.actions.tunnel import Tunnel as Action
from portmux.config.model import Bind, Config, Listener, Timeouts
from portmux.config.sources.tunnel import Options, Tunnel
from portmux.config.tunnels import EVERY, LEAST, Tunnels
from portmux.core.health import Ejection
from portmux.core.option import Seconds
from portmux.core.pool import Pool, Settings
from portmux.core.reach import PLAIN, Reach, Tls
from portmux.core.strategies import Strategy

NEVER: Final = 1 << 53
"""Errors in a row after which a backend is ejected that no error ejects: the most
that every reader of JSON can tell from its neighbours."""


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
    told = defaults.whole(tunnel)
    assert isinstance(told.strategy, Strategy)
    assert told.timeout is not None and told.check_interval is not None
    assert told.errors is not None
    tls = Tls(ca_bundle=defaults.ca_bundle) if told.remote_tls else None
    return Settings(
        strategy=told.strategy,
        timeout=max(LEAST, told.timeout),
        attempts=told.retries,
        eject=Ejection(
            max(1, told.errors), max(LEAST, told.check_interval), most=EVERY
        ),
        reach=PLAIN if tls is None else Reach(tls),
    )


def resolved(pool: Pool) -> Options:
    """@return: the options of a tunnel that would do what such a pool does."""
    made = pool.settings
    attempts = len(pool.backends) if made.attempts is None else made.attempts
    eject = made.eject or Ejection(NEVER)
    return Options(
        strategy=made.strategy,
        retries=attempts,
        timeout=Seconds(made.timeout),
        errors=eject.errors,
        check_interval=Seconds(eject.recheck),
        remote_tls=made.reach.tls is not None,
    )
