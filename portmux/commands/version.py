"""C{portmux version}: which portmux this is, and what it runs on."""

from __future__ import annotations

import argparse
import platform
import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Final

from portmux import __version__
from portmux.commands.common import Commands
from portmux.net.engine import best

LIBRARIES: Final = (
    "Twisted",
    "zope.interface",
    "attrs",
    "PyYAML",
    "h11",
    "wsproto",
    "pyOpenSSL",
    "service-identity",
    "cryptography",
)


def add(commands: Commands) -> None:
    text = "tell the versions of portmux, Python and the libraries"
    parser = commands.add_parser("version", help=text, description=text)
    parser.set_defaults(command=_version)


def _version(options: argparse.Namespace) -> int:
    print(f"portmux {__version__}")
    print(f"Python {platform.python_version()} ({sys.executable})")
    for name in LIBRARIES:
        print(f"{name} {_installed(name)}")
    print(f"{platform.system()} {platform.release()} {platform.machine()}")
    print(f"engine: {best().value}, unless the configuration wants another one")
    return 0


def _installed(name: str) -> str:
    try:
        return version_of(name)
    except PackageNotFoundError:
        return "is not installed"
