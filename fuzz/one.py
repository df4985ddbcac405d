"""
Fuzz one target in this process: C{python -m fuzz.one TARGET [OPTION of libFuzzer]}.

The process ends at the first fault; L{fuzz.run} is for people.
"""

from __future__ import annotations

import sys
from importlib import import_module

import atheris

INSTRUMENTED = ["portmux", "h11", "yaml"]
"""Whose branches guide the search."""


def main() -> None:
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
        target = import_module(f"fuzz.targets.{name}")
    atheris.Setup(sys.argv, target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
