"""What of a configuration is in force: with changes, and without what cannot be had."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

import attrs
from twisted.logger import Logger

from portmux.app import build, tunnels
from portmux.app.sockets import Owner, Sockets, Wanted
from portmux.app.steering import SOCKET
from portmux.config.changes import Changes
from portmux.config.control import USUAL
from portmux.config.model import Config

_log = Logger()


def changed(read: Config, changes: Changes, directory: str) -> tuple[Config, Changes]:
    """
    @param directory: where the program was started; sockets' paths count from it.
    @return: the configuration with the changes, its tunnels as listeners; and the
        changes that it has a place for.
    """
    kept, dropped = changes.fitting(read)
    for each in dropped:
        _log.warn("a change is dropped: {what}", what=each)
    config = kept.limiting(tunnels.opened(kept.over(read)))
    if os.getcwd() != directory:
        config = build.rooted(config, directory)
    return config, kept


def opened(
    sockets: Sockets,
    config: Config,
    wanted: Wanted,
    owners: Mapping[str, Owner],
    whole: bool,
    missing: Collection[str] = (),
) -> tuple[Config, frozenset[str]]:
    """
    Open what is wanted.

    @param whole: all of it; else one of it will do, or none where others were open.
    @param missing: of the whole, what could not be opened before, and was told.
    @return: without the listeners that could not be opened; all that could not.
    @raise BindError: nothing has changed.
    """
    optional = {SOCKET} if config.control.socket == USUAL else set()
    before = len(sockets)
    free = {*optional, *missing} if whole else wanted
    failed = sockets.attempt(wanted, owners, free)
    for name, error in failed.items():
        if name in missing:
            continue
        if name not in optional:
            _log.error("{error}; going on without", error=str(error))
        else:
            _log.info("{error}; portmux ctl will not find it", error=str(error))
    if failed and not before and failed.keys() >= wanted.keys() - optional:
        sockets.close()
        raise next(iter(failed.values()))
    if not failed.keys().isdisjoint(config.listeners):
        listeners = config.listeners.items()
        left = {name: one for name, one in listeners if name not in failed}
        config = attrs.evolve(config, listeners=left, start="any")
    return config, frozenset(failed)
