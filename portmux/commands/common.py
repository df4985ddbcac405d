"""What sub-commands share: the options that name a configuration, and loading it."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, TypeAlias

from portmux.app.inputs import DEFAULT, NONE, inputs
from portmux.config.load import Inputs, Loaded, load
from portmux.config.sources.syntax import Syntax

# What add_subparsers() gives; the type has no public name.
Commands: TypeAlias = "argparse._SubParsersAction[Any]"


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a configuration."""
    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        default=DEFAULT,
        help=f"or {NONE}; default: {DEFAULT}",
    )
    parser.add_argument(
        "--syntax",
        choices=[syntax.value for syntax in Syntax],
        help="the file's syntax; without it, it is recognised",
    )
    parser.add_argument(
        "--set",
        metavar="PATH=VALUE",
        action="append",
        default=[],
        help="set one option over the file's; may be repeated",
    )


def given_inputs(options: argparse.Namespace) -> Inputs:
    """@return: what the options of L{add_inputs} name."""
    syntax = None if options.syntax is None else Syntax(options.syntax)
    return inputs(options.config, syntax, options.set, dict(os.environ))


def loaded(given: Inputs) -> Loaded:
    """
    Load, and print the warnings.

    @raise portmux.errors.ConfigError: there are faults.
    """
    found = load(given)
    for warning in found.warnings:
        print(warning, file=sys.stderr)
    return found
