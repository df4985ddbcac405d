"""Text of a systemd unit for an installation that no package manages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

NAME: Final = "portmux.service"
"""The unit's name."""

MARK: Final = "# Made by portmux install; portmux uninstall removes it.\n"
"""The first line of units that are ours."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_@+=:,./-]+")

_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "$": "$$", "%": "%%"}

_UNIT: Final = """\
[Unit]
Description=portmux, one port for every service
Wants=network-online.target
After=network-online.target nss-lookup.target

[Service]
Type=notify
WorkingDirectory={directory}
ExecStart={command}
ExecReload=/bin/sh -c 'kill -HUP $MAINPID'
{identity}Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
WatchdogSec=30
LimitNOFILE=524288
RuntimeDirectory=portmux
NoNewPrivileges=yes
ProtectSystem=full
ProtectClock=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
"""

_IDENTITY: Final = """\
User={user}
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
"""


def service(command: Sequence[str], directory: str, user: str | None) -> str:
    """
    @param command: what is run, with all its arguments.
    @param directory: what relative paths among them are relative to.
    @param user: None: root.
    @return: the text of a unit that is ours.
    """
    return MARK + _UNIT.format(
        directory=directory.replace("%", "%%"),
        command=" ".join(map(quoted, command)),
        identity="" if user is None else _IDENTITY.format(user=user),
    )


def is_ours(text: str) -> bool:
    """@return: whether C{portmux install} has written it."""
    return text.startswith(MARK)


def quoted(word: str) -> str:
    """
    @return: how C{ExecStart=} has a word that is to arrive as it is.
    @see: systemd.service(5), COMMAND LINES; systemd.syntax(7), QUOTING.
    """
    if _PLAIN.fullmatch(word):
        return word
    return '"' + "".join(map(_escaped, word)) + '"'


def _escaped(char: str) -> str:
    if char < " " or char == "\x7f":
        return f"\\x{ord(char):02x}"
    return _ESCAPES.get(char, char)
