"""The line protocol: cuts change nothing, lines are bounded, telnet's octets go."""

from __future__ import annotations

from fuzz.material import Material, require, seeds
from portmux.control.commands import ALL
from portmux.control.lines import LIMIT, Lines
from portmux.control.spell import of_line
from portmux.errors import CommandError, Malformed

SEEDS = seeds(
    2,
    [
        b"status full\nopen 3000=3001,3002[strategy=round-robin,retries=5]\r\n",
        b"\xff\xfd\x03\xff\xfb\x18sessions listener=front limit=5\r\nkill route=web\n",
        b"limits front connections=5 rate=0.5\nexplain front GET / HTTP/1.1\\0d\\0a\n",
        b"weight web 10.0.0.1:80 5\nfrob\n\nexit\n\xff\xf4\xff\n",
        b"x" * (LIMIT + 1),
    ],
)


def check(data: bytes) -> None:
    material = Material(data)
    pieces = material.pieces()
    whole = b"".join(pieces)
    found = _read(pieces)
    require(found == _read([whole]), "cut", found)
    for line in found:
        require("\n" not in line, "line end", line)
        require(len(line.encode()) <= LIMIT, "too long", len(line))
        _command(line)


def _read(pieces: list[bytes]) -> list[str]:
    """@return: the lines, and what is wrong at their end."""
    lines, found = Lines(), []
    for piece in pieces:
        lines.feed(piece)
        try:
            while (line := lines.next()) is not None:
                found.append(line)
        except Malformed as wrong:
            return [*found, str(wrong)]
        require(len(lines) <= LIMIT, "held", len(lines))
    return found


def _command(line: str) -> None:
    """Any line is a command, or is refused in words."""
    try:
        of_line(ALL, line)
    except CommandError as error:
        require(str(error), "no words", line)
