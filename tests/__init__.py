"""
The tests mirror C{portmux/} file by file; in them, our warnings are errors.

Work is counted, never timed: a busy machine is no reason to fail.
"""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

from hypothesis import HealthCheck, settings

settings.register_profile(
    "busy",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # With STRICT=1 a failure is the fault of a change, never of chance: what is tried
    # depends on the test only. Runs without it, by hand, try something else each time.
    derandomize=os.environ.get("STRICT") == "1",
    print_blob=True,
    report_multiple_bugs=False,  # trial does not look into groups of errors
)
settings.load_profile("busy")

_ROOT = Path(__file__).parent.parent

# A warning names a module; one that a test has collected names only its file.
for _module in (
    r"(portmux|tests)(\.|$)",
    re.escape(f"{_ROOT}/") + "(portmux|tests)/",
):
    warnings.filterwarnings("error", module=_module)
