"""C{portmux install}: have systemd run portmux, where no package does it."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from pwd import getpwnam
from typing import Final

from portmux.app.units import NAME, is_ours, service
from portmux.commands import run
from portmux.commands.common import Commands, Parser, loaded
from portmux.errors import ConfigError
from portmux.tap import Options, given_inputs

_FOLDER: Final = "etc/systemd/system"

_PACKAGED: Final = ("usr/lib/systemd/system", "lib/systemd/system")
"""Where packages have their units; ours would hide it."""


def add(commands: Commands) -> None:
    text = "have systemd run it: write, enable and start a unit"
    parser = commands.add_parser("install", help=text, description=text)
    parser.add_argument(
        "--user", help="run as this user, who may still open ports below 1024"
    )
    add_common(parser, "print the unit, write nothing")
    parser.add_argument(
        "arguments", metavar="ARGUMENT", nargs="*", help="behind --: as for portmux run"
    )
    parser.set_defaults(command=_install)


def add_common(parser: argparse.ArgumentParser, dry_run: str) -> None:
    """Add what install and uninstall have in common."""
    parser.add_argument("--dry-run", action="store_true", help=dry_run)
    parser.add_argument(
        "--root",
        metavar="DIR",
        type=Path,
        help="where another system's files are; nothing is started there",
    )


def unit_path(root: Path | None) -> Path:
    """@param root: None: of this system."""
    return (root or Path("/")) / _FOLDER / NAME


def refuse_others(path: Path) -> None:
    """
    @raise ConfigError: there is a unit that L{_install} has not written.
    @raise OSError: it cannot be read.
    """
    if path.exists() and not is_ours(path.read_text(errors="replace")):
        raise ConfigError([f"{path}: not a unit of portmux install, it stays as it is"])


def manageable(root: Path | None) -> bool:
    """@return: whether systemd runs, and what is installed is for it."""
    return root is None and os.path.isdir("/run/systemd/system")


def systemctl(*words: str) -> bool:
    """@return: whether it has done that; it says itself why not."""
    return subprocess.run(("systemctl", *words), check=False).returncode == 0


def failed(error: OSError) -> int:
    """Say what file could not be changed. @return: the exit status."""
    why = os.strerror(error.errno or 0).lower()
    print(f"{error.filename}: {why}", file=sys.stderr)
    return 1


def _install(options: argparse.Namespace) -> int:
    _check(options.arguments)
    if options.user is not None and options.root is None:
        _check_user(options.user)
    command = (sys.executable, "-m", "portmux", "run", *options.arguments)
    text = service(command, os.getcwd(), options.user)
    if options.dry_run:
        print(text, end="")
        return 0
    # The service may be unable to write Twisted's cache of plugins: it is now.
    if (why := run.unplugged()) is not None:
        raise ConfigError([why])
    path = unit_path(options.root)
    _refuse_packaged(options.root or Path("/"))
    try:
        refuse_others(path)
        _write(path, text)
    except OSError as error:
        return failed(error)
    print(f"{path}: written")
    if not manageable(options.root):
        print(f"then: systemctl daemon-reload && systemctl enable --now {NAME}")
        return 0
    done = (
        systemctl("daemon-reload")
        and systemctl("enable", NAME)
        and systemctl("restart", NAME)
    )
    return 0 if done else 1


def _check(arguments: Sequence[str]) -> None:
    """
    Read the configuration as the service will: without variables of this shell.

    @raise ConfigError: it has faults.
    @raise SystemExit: the arguments are not those of C{portmux run}.
    """
    parser = Parser(prog="portmux")
    run.add(parser.add_subparsers())
    options = Options()
    options.parseOptions(run.words(parser.parse_args(["run", *arguments])))
    loaded(given_inputs(options, {}))


def _check_user(name: str) -> None:
    try:
        getpwnam(name)
    except KeyError:
        line = f"--user {name}: no such user; adduser --system {shlex.quote(name)}"
        raise ConfigError([line]) from None


def _refuse_packaged(root: Path) -> None:
    for folder in _PACKAGED:
        path = root / folder / NAME
        if path.exists():
            raise ConfigError([f"{path}: a package has a unit of this name already"])


def _write(path: Path, text: str) -> None:
    """@raise OSError: it could not be written; then all is as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{NAME}.new")
    fresh.write_text(text)
    fresh.chmod(0o644)
    fresh.replace(path)
