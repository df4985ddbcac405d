"""Fail unless this Python uses Debian's own libraries, in the promised versions."""

from __future__ import annotations

import sys
from importlib.metadata import distribution
from pathlib import Path

DEBIAN = Path("/usr/lib/python3/dist-packages")
LIST = Path(__file__).with_name("floor-packages")


def faults() -> list[str]:
    """@return: what is not as C{floor-packages} promises; prints what is there."""
    found = []
    for line in LIST.read_text().splitlines():
        fields = line.partition("#")[0].split()
        if len(fields) < 3:
            continue
        package, name, promised = fields
        library = distribution(name)
        where = Path(str(library.locate_file("")))
        print(f"{package}: {name} {library.version} in {where}")
        if where != DEBIAN:
            found.append(f"{name} is not Debian's: it lies in {where}, not in {DEBIAN}")
        if not library.version.startswith(promised):
            found.append(f"{name} is {library.version}, not {promised}")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(faults()) or 0)
