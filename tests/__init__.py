"""
The tests mirror C{portmux/} file by file; in them, our warnings are errors.

Work is counted, never timed: a busy machine is no reason to fail.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

from hypothesis import HealthCheck, settings

settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")

_ROOT = Path(__file__).parent.parent

# A warning names a module; one that a test has collected names only its file.
for _module in (
    r"(portmux|tests)(\.|$)",
    re.escape(f"{_ROOT}/") + "(portmux|tests)/",
):
    warnings.filterwarnings("error", module=_module)
