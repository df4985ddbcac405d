"""First bytes of real clients; README says how each file was made."""

from __future__ import annotations

from pathlib import Path

OPENINGS = {
    path.stem: path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.bin"))
}
"""Octets by name; a name starts with the protocol."""


def named(*starts: str) -> set[str]:
    """@return: the names of openings that start with one of these."""
    return {name for name in OPENINGS if name.startswith(starts)}
