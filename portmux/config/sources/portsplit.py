r"""
Read portsplit's files: keys, sections, prefixes with C{\XX} escapes.

Octets behind C{string} are taken as they are, blanks at the end too; all other
values lose theirs. A line ends at CR, LF or both, and counts if it is empty; the
last one may go without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import attrs

from portmux.config import octets, sockets
from portmux.config.faults import Faults, guess, listed, quoted
from portmux.config.model import MOST_SNIFFED
from portmux.config.sources.splittree import SPECIAL, TIMEOUT, Section, Split
from portmux.config.tree import Origin, Path, Scalar, Style, Table
from portmux.config.values import string
from portmux.core.address import Host

_LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n|\Z)")
_OPTION = re.compile(rb"[ \t]*([^ \t=]*)([^=]*)=[ \t]*(.*)", re.DOTALL)
_DIGITS = re.compile(r"([0-9]{1,9})(.*)", re.DOTALL)

_GLOBAL = ("bind", "maxconn", "pid", "timeout")
_SECTION = ("connect", "exec", "execarg", "pty", "string")


def parse(name: str, data: bytes, faults: Faults) -> Table:
    """@return: the tree that the same portmux.conf has; a broken one with faults."""
    reader = _Reader(name, faults, Split(name))
    for number, line in _lines(data):
        reader.line(number, line)
    return reader.end()


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """@return: physical line numbers and lines, without empty ones and comments."""
    for number, found in enumerate(_LINE.finditer(data), start=1):
        line = found[1]
        if line.strip(b" \t") and not line.startswith(b"#"):
            yield number, line


@attrs.frozen
class _Value:
    """
    One option.

    @ivar place: where its key stands.
    @ivar path: its section, if any, and its key.
    """

    key: str
    raw: bytes
    place: Origin
    origin: Origin
    path: Path

    def text(self) -> str:
        """@raise ValueError: it is not text."""
        try:
            text = self.raw.strip(b" \t").decode()
        except UnicodeDecodeError:
            raise ValueError(f"{_shown(self.raw)} is not UTF-8") from None
        return string(text)


@attrs.define
class _Reader:
    """@ivar section: whose options the next lines are; None: the file's own."""

    name: str
    faults: Faults
    split: Split
    section: Section | None = None
    sound: bool = True

    def line(self, number: int, line: bytes) -> None:
        start = Origin(self.name, number, 1)
        if line.startswith(b"["):
            self._header(start, line.rstrip(b" \t"))
            return
        found = _OPTION.fullmatch(line)
        if found is None:
            what = f"{_shown(line)} is not KEY = VALUE, [SECTION] or #COMMENT"
            self._wrong(start, what)
            return
        key = found[1].decode(errors="replace")
        path = (key,) if self.section is None else (self.section.title, key)
        place, origin = (Origin(self.name, number, found.start(i) + 1) for i in (1, 3))
        value = _Value(key, found[3], place, origin, path)
        if found[2].strip(b" \t"):
            self.faults.warn(place, "what stands between key and = is ignored", path)
        try:
            if self.section is None:
                self._globally(value)
            else:
                self._inside(self.section, value)
        except ValueError as wrong:
            self._wrong(origin, str(wrong), path)

    def end(self) -> Table:
        split = self.split
        if not split.binds and self.sound:
            self._wrong(Origin(self.name, 1, 1), "bind = IP:PORT is missing")
        for section in split.sections:
            self._review(section)
        for name, section in split.routes().items():
            if name != section.title:
                text = f"is the route {name} here, that is how records name it"
                self.faults.warn(section.origin, text, (section.title,))
        late = split.special(TIMEOUT)
        if late and split.timeout is None:
            text = (
                "is never used, timeout = SECONDS before the first section is missing"
            )
            self.faults.warn(late.origin, text, (TIMEOUT,))
        return split.tree() if self.sound else split.broken()

    def _wrong(self, origin: Origin, text: str, path: Path = ()) -> None:
        self.sound = False
        self.faults.add(origin, text, path)

    def _header(self, start: Origin, line: bytes) -> None:
        title = line[1:].removesuffix(b"]").decode(errors="replace")
        twice = any(section.title == title for section in self.split.sections)
        self.section = Section(title, start)
        self.split.sections.append(self.section)
        if not line.endswith(b"]"):
            self._wrong(start, f"{_shown(line)} has no ] at its end")
        elif not title:
            self._wrong(start, "the section has no name, [NAME] is allowed")
        elif twice and title in SPECIAL:
            text = "is there already, only the first is used"
            self.faults.warn(start, text, (title,))

    def _globally(self, value: _Value) -> None:
        split = self.split
        match value.key:
            case "bind":
                split.binds.append(_socket(value, sockets.bind_host))
            case "maxconn":
                number = self._number(value, "connections")
                most = str(number) if number else "none"
                split.connections = self._last(split.connections, value, most)
            case "timeout":
                number = self._number(value, "seconds")
                most = f"{number}s" if number else "none"
                split.timeout = self._last(split.timeout, value, most)
            case "pid":
                if not value.text():
                    raise ValueError("a path is missing")
                split.pid = self._last(split.pid, value, value.text())
            case _:
                text = f"unknown key, known: {listed(_GLOBAL)}"
                hint = guess(value.key, _GLOBAL)
                self.faults.warn(value.place, text + hint, value.path)

    def _inside(self, section: Section, value: _Value) -> None:
        match value.key:
            case "string" if section.title in SPECIAL:
                raise ValueError(f"means nothing in [{section.title}]")
            case "string":
                self._pattern(section, value)
            case "connect":
                target = _socket(value, sockets.host)
                section.connect = self._last(section.connect, value, target.text)
            case "exec":
                if not value.text():
                    raise ValueError("a program is missing")
                before = section.command[0] if section.command else None
                section.command = [self._last(before, value, value.text())]
            case "execarg":
                if not section.command:
                    raise ValueError("must stand behind exec, which is missing so far")
                section.command.append(_scalar(value, value.text()))
            case "pty":
                yes = {"yes": "true", "no": "false"}.get(value.text())
                if yes is None:
                    raise ValueError(f"{quoted(value.text())} is not yes or no")
                section.pty = _scalar(value, yes)
            case key:
                text = f"unknown key, allowed: {listed(_SECTION)}"
                self._wrong(value.place, text + guess(key, _SECTION), value.path)

    def _pattern(self, section: Section, value: _Value) -> None:
        pattern = octets.unescape(value.raw)
        if len(pattern) > MOST_SNIFFED:
            raise ValueError(
                f"is {len(pattern)} octets long, {MOST_SNIFFED} are allowed"
            )
        section.patterns.append((pattern, value.origin))

    def _number(self, value: _Value, unit: str) -> int:
        """@return: the digits at the start; portsplit reads no further."""
        found = _DIGITS.fullmatch(value.text())
        if found is None:
            raise ValueError(f"{quoted(value.text())} is not a number of {unit}")
        if found[2]:
            text = f"{quoted(found[2])} behind the number of {unit} is ignored"
            self.faults.warn(value.origin, text, value.path)
        return int(found[1])

    def _last(self, before: Scalar | None, value: _Value, text: str) -> Scalar:
        if before is not None:
            line = f"line {before.origin.line}"
            what = f"is there already in {line}, the last one is used"
            self.faults.warn(value.place, what, value.path)
        return _scalar(value, text)

    def _review(self, section: Section) -> None:
        path = (section.title,)
        if section.connect and section.command:
            text = "both connect and exec are there, connect is used"
            self.faults.warn(section.origin, text, path)
        elif not section.connect and not section.command:
            text = "neither connect nor exec is there, its clients are closed"
            self.faults.warn(section.origin, text, path)
        if section.title not in SPECIAL and not section.patterns:
            text = "no string is there, it is never chosen"
            self.faults.warn(section.origin, text, path)


def _scalar(value: _Value, text: str) -> Scalar:
    return Scalar(text, value.origin, Style.QUOTED)


def _socket(value: _Value, read: Callable[[str], Host]) -> Scalar:
    """
    Read C{IP:PORT}, cut at the last colon; an IPv6 address may have brackets.

    @raise ValueError: it is no such thing.
    """
    text = value.text()
    name, _, port = text.rpartition(":")
    if ":" in name and not name.startswith("["):
        text = f"[{name}]:{port}"
    return _scalar(value, str(read(text)))


def _shown(raw: bytes) -> str:
    return quoted(raw.decode(errors="backslashreplace"))
