"""Write the pages that are made from the declarations, or compare them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from manual.man import man_pages
from manual.pages import pages
from portmux.app.build import registry

ROOT = Path(__file__).parent.parent


def made() -> Mapping[str, str]:
    """@return: by name from the top of the repository, the text of each page."""
    kinds = registry()
    found = {f"docs/{name}": text for name, text in pages(kinds).items()}
    return found | {f"man/{name}": text for name, text in man_pages(kinds).items()}


def outdated(root: Path = ROOT) -> list[str]:
    """@return: the names of pages that are not what would be made now."""
    return [
        name
        for name, text in made().items()
        if not (root / name).exists() or (root / name).read_text("utf-8") != text
    ]


def main() -> None:
    """@raise SystemExit: with status 1: a page is out of date."""
    parser = argparse.ArgumentParser(prog="python -m manual", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    if parser.parse_args().check:
        if names := outdated():
            sys.exit(f"out of date, run python -m manual: {', '.join(names)}")
        return
    for name, text in made().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
