"""How Sphinx builds the manual: C{make docs}."""

from __future__ import annotations

from portmux import __version__

project = "portmux"
author = "The portmux maintainers"
project_copyright = author
version = release = __version__

extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "alabaster"
html_theme_options = {"description": "One port, every service."}
html_copy_source = False
