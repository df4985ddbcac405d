"""Files, environment and command line in; a configuration, or every fault, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from portmux.config.decode import Decoder, pools_in
from portmux.config.expand import expand
from portmux.config.faults import Faults
from portmux.config.include import Glob, Read, Reader
from portmux.config.merge import assign, exact, folded, overlay
from portmux.config.model import Config
from portmux.config.sources import compact, environment, setting, tunnel
from portmux.config.sources.compact import Compact
from portmux.config.sources.syntax import Syntax
from portmux.config.tree import Node, Origin, Table
from portmux.core.registry import Registry


@attrs.frozen
class Loaded:
    """
    @ivar tree: what the configuration was decoded from, all layers in one.
    @ivar warnings: one line each, by place.
    """

    config: Config
    tree: Table
    warnings: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Inputs:
    """
    All that a configuration is made of; a reload loads the same inputs again.

    @ivar file: None: there is none.
    @ivar settings: C{PATH=VALUE}, as given to C{--set}.
    @ivar environ: C{PORTMUX__...} are settings, all may be used as C{${NAME}}.
    @ivar syntax: the file's; None: recognise it.
    @ivar compact: a listener that the command line describes.
    @ivar tunnels: opened beside those of the file.
    """

    read: Read
    glob: Glob
    registry: Registry
    file: str | None = None
    settings: Sequence[str] = ()
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    syntax: Syntax | None = None
    compact: Compact | None = None
    tunnels: Sequence[str] = ()


def load(inputs: Inputs) -> Loaded:
    """@raise ConfigError: with every fault that can be told."""
    faults = Faults()
    tree = merged(inputs, faults)
    decoder = Decoder(inputs.registry, faults, pools_in(tree))
    config = decoder.decode(Config, tree)
    faults.check()
    return Loaded(config, tree, faults.warnings)


def merged(inputs: Inputs, faults: Faults) -> Table:
    """
    @return: all layers but the defaults in one tree, not decoded yet.
    @raise ConfigError: one of them cannot be read at all.
    """
    tree: Table | None = Table(Origin("configuration"))
    if inputs.file is not None:
        reader = Reader(inputs.read, inputs.glob, inputs.environ, faults)
        tree = reader.file(inputs.file, inputs.syntax)
    if tree is None:
        faults.check()
    node: Node | None = tree
    if inputs.compact is not None:
        fresh = compact.parse(inputs.compact, inputs.registry, faults)
        node = fresh if tree is None else overlay(tree, fresh)
    if inputs.tunnels:
        node = tunnel.laid(node, inputs.tunnels)
    for find, settings in (
        (folded, environment.settings(inputs.environ, faults)),
        (exact, setting.settings(inputs.settings, faults)),
    ):
        for path, value in settings:
            value = expand(value, inputs.environ, faults, path)
            node = assign(node, path, value, faults, find)
    assert isinstance(node, Table)
    return node
