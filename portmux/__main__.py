"""Run the console command: C{python -m portmux}."""

from __future__ import annotations

from portmux.cli import main

if __name__ == "__main__":
    main()
