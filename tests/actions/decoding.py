"""Actions as people write them in a file."""

from __future__ import annotations

from typing import Any

import portmux.actions
import portmux.core.frame
from portmux.config.decode import Decoder
from portmux.config.faults import Faults
from portmux.config.sources import yaml
from portmux.core.plan import Action
from portmux.core.registry import Registry
from portmux.errors import ConfigError

POOLS = ("git", "web")
"""What a whole configuration would have."""


def decoded(text: str) -> Any:
    """
    @param text: an action in YAML.
    @return: the action.
    @raise ConfigError: it has faults.
    """
    registry, faults = Registry(), Faults()
    registry.load(portmux.core.frame)
    registry.load(portmux.actions)
    tree = yaml.parse("test", text, faults)
    decoder = Decoder(registry, faults, POOLS)
    action = None if tree is None else decoder.decode(Action, tree)
    faults.check()
    return action


def faults_of(text: str) -> list[str]:
    """@return: what is told of an action, without the places."""
    try:
        decoded(text)
    except ConfigError as error:
        return [fault.split(": ", 1)[1] for fault in error.faults]
    return []
