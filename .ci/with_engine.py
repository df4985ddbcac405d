"""
Run C{portmux WORD...} where no engine is better than C{ENGINE}.

Usage: C{python with_engine.py ENGINE WORD...}. The front ends have no option for
it: they take the best engine that there is.
"""

from __future__ import annotations

import os
import runpy
import sys
from importlib import import_module

if __name__ == "__main__":
    engine = sys.argv.pop(1)
    if engine in ("lane", "twisted"):
        sys.modules["portmux._relay"] = None  # type: ignore[assignment]
    if engine == "twisted":
        del os.splice
    found = import_module("portmux.net.engine").best().value
    if found != engine:
        sys.exit(f"the best engine here is {found}, not {engine}")
    runpy.run_module("portmux", run_name="__main__", alter_sys=True)
