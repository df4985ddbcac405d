"""What some tests of the bench need besides Python."""

from __future__ import annotations

import os
import shutil


def missing(*commands: str) -> str | None:
    """@return: why a test cannot run that needs these, and two cores; or None."""
    if len(os.sched_getaffinity(0)) < 2:
        return "needs two CPU cores"
    absent = [one for one in commands if shutil.which(one) is None]
    return f"needs {', '.join(absent)}" if absent else None
