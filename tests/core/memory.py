"""How much memory a piece of work leaves behind."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable


def octets_kept(work: Callable[[], object]) -> int:
    """@return: memory that the call took and did not give back."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
