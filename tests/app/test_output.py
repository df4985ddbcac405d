"""Test portmux.app.output."""

from __future__ import annotations

import fcntl
import json
import os
import re
from pathlib import Path

from twisted.internet.task import Clock
from twisted.logger import (
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    formatEvent,
    globalLogPublisher,
)
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from portmux.app.output import BATCH, FLUSH, AccessLog, Output, log_record, renderer
from portmux.core.address import Host
from portmux.core.record import Record, as_json, as_text
from portmux.errors import PortmuxError


def record(number: int = 7) -> Record:
    """@return: that of a session which went well."""
    return Record(
        time=1_700_000_000.25,
        number=number,
        listener="front",
        route="ssh",
        pattern=None,
        cause="match",
        client=Host("192.0.2.7", 50007),
        local=Host("198.51.100.1", 443),
        backend="127.0.0.1:22",
        attempts=1,
        sent=10,
        received=20,
        sniffed=0.001,
        seconds=2.5,
        end="done",
    )


class Pipe:
    """Somebody reads what we write, or does not."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)

    def read(self) -> str:
        """@return: what has been written since the last time."""
        data = b""
        while True:
            try:
                part = os.read(self.reader, 65536)
            except BlockingIOError:
                return data.decode()
            if not part:
                return data.decode()
            data += part

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


@implementer(ILogObserver)
class Heard:
    """@ivar texts: what a part of the program has said."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self.texts: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if event["log_namespace"] == self._namespace:
            self.texts.append(formatEvent(event))


class OutputTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pipe = Pipe()
        self.addCleanup(self.pipe.close)
        self.output = Output(self.pipe.writer)
        self.log = Logger("portmux.test", observer=self.output)

    def test_is_an_observer(self) -> None:
        """twistd recognises it as one of the newer kind."""
        verifyObject(ILogObserver, self.output)

    def test_text(self) -> None:
        """Time, level and message."""
        self.log.info("{count} listeners", count=3)
        pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info: 3 listeners\n"
        self.assertRegex(self.pipe.read(), rf"\A{pattern}\Z")

    def test_json(self) -> None:
        """The same as an object on one line, with the part that speaks."""
        self.output.json = True
        self.log.warn("two\nlines of {who}", who='"him"')
        line = self.pipe.read()
        self.assertEqual(line.count("\n"), 1)
        told = json.loads(line)
        self.assertRegex(told.pop("time"), r"Z\Z")
        self.assertEqual(
            told,
            {
                "level": "warn",
                "part": "portmux.test",
                "message": 'two\nlines of "him"',
            },
        )

    def test_level(self) -> None:
        """What is below is left out."""
        self.output.limit(LogLevel.warn, {})
        self.log.info("no")
        self.log.debug("no")
        self.log.warn("yes")
        self.log.error("yes")
        self.assertEqual(len(self.pipe.read().splitlines()), 2)

    def test_levels_of_parts(self) -> None:
        """The longest name that fits is heard; a new limit at once."""
        info, warn, debug = LogLevel.info, LogLevel.warn, LogLevel.debug
        self.log.debug("no")
        levels = {"net": debug, "net.accept": warn, "portmux.app": warn, "other": warn}
        self.output.limit(info, levels)
        for part, lines in {
            "portmux.net": 3,
            "portmux.net.front.Front": 3,
            "portmux.net.accept.Acceptor": 1,
            "portmux.nets": 2,
            "portmux.app.service": 1,
            "other.part": 1,
            "portmux.other": 1,
            "app": 2,
            "": 2,
        }.items():
            log = Logger(part, observer=self.output)
            log.debug("words")
            log.info("words")
            log.warn("words")
            self.assertEqual(self.pipe.read().count("\n"), lines, part)
        self.output.limit(debug, {})
        self.log.debug("yes")
        self.assertIn("yes", self.pipe.read())

    def test_records_have_no_level(self) -> None:
        """They are written whatever the level is, and in its format."""
        self.output.limit(LogLevel.error, {"portmux": LogLevel.error})
        for rendered in (as_text, as_json):
            self.output.json = rendered is as_json
            self.log.info("{text}", text="other words", record=record())
            self.assertEqual(self.pipe.read(), rendered(record()) + "\n")

    def test_no_forged_line(self) -> None:
        """No character in a message begins a line or moves the terminal's cursor."""
        self.log.info("{text}", text="a\nb\rc\x1b[2Jd\x85e\u2028f\0g é")
        self.assertRegex(
            self.pipe.read(),
            r"\A\S+ info: a\n    b\\rc\\x1b\[2Jd\\x85e\\u2028f\\x00g é\n\Z",
        )

    def test_traceback(self) -> None:
        """It is indented below its message."""
        try:
            raise ValueError("of the test")
        except ValueError:
            self.log.failure("it failed")
        first, *others = self.pipe.read().splitlines()
        self.assertRegex(first, r"critical: it failed\Z")
        self.assertIn("    builtins.ValueError: of the test", others)
        self.assertEqual([one for one in others if one[:4] != "    "], [])

    def test_nobody_reads(self) -> None:
        """Nothing waits and nothing fails; what is lost is counted and told."""
        fcntl.fcntl(self.pipe.writer, fcntl.F_SETPIPE_SZ, 8192)
        text = "x" * 1000
        for _ in range(10):
            self.log.info(text)
        written = self.pipe.read().count(text)
        self.assertIn(written, range(1, 10))
        self.log.info("again")
        again, told = self.pipe.read().splitlines()
        self.assertRegex(again, "info: again")
        self.assertRegex(told, rf"warn: {10 - written} line\(s\) of this log were lost")
        self.log.info("and on")
        self.assertEqual(self.pipe.read().count("\n"), 1)

    def test_long_line(self) -> None:
        """One that fits only in part is ended before the next one begins."""
        fcntl.fcntl(self.pipe.writer, fcntl.F_SETPIPE_SZ, 8192)
        self.log.info("x" * 20_000)
        self.assertRegex(self.pipe.read(), r"\A\S+ info: x{4000,}\Z")
        self.log.info("next")
        self.assertRegex(self.pipe.read(), r"\A\n\S+ info: next\n")

    def test_reader_is_gone(self) -> None:
        """A closed pipe is no reason to end."""
        os.close(self.pipe.reader)
        self.log.info("to nobody")
        self.pipe.reader = os.open(os.devnull, os.O_RDONLY)

    def test_terminal_is_gone(self) -> None:
        """Nor is a closed terminal."""
        master, slave = os.openpty()
        output = Output(slave)
        os.close(master)
        Logger(observer=output).info("to nobody")
        os.close(slave)

    def test_full_disk(self) -> None:
        """Nor is one."""
        full = os.open("/dev/full", os.O_WRONLY)
        self.addCleanup(os.close, full)
        Logger(observer=Output(full)).info("to nobody")

    def test_log_record(self) -> None:
        """A record goes the way of messages, as text for any other observer."""
        other = Heard("portmux.access")
        for observer in (self.output, other):
            globalLogPublisher.addObserver(observer)
            self.addCleanup(globalLogPublisher.removeObserver, observer)
        log_record(record())
        self.assertEqual(self.pipe.read(), as_text(record()) + "\n")
        self.assertEqual(other.texts, [as_text(record())])


class AccessLogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.path = Path(self.mktemp()).absolute()
        heard = Heard("portmux.app.output.AccessLog")
        self.said = heard.texts
        globalLogPublisher.addObserver(heard)
        self.addCleanup(globalLogPublisher.removeObserver, heard)

    def open(self, path: Path | None = None, form: str = "text") -> AccessLog:
        """@return: a log that the test need not close."""
        log = AccessLog(str(path or self.path), renderer(form), self.clock)
        self.addCleanup(log.close)
        return log

    def test_batches(self) -> None:
        """Records of a moment are written together, soon."""
        log = self.open()
        log(record(1))
        log(record(2))
        self.assertEqual(self.path.read_text(), "")
        self.clock.advance(FLUSH)
        expected = f"{as_text(record(1))}\n{as_text(record(2))}\n"
        self.assertEqual(self.path.read_text(), expected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_many(self) -> None:
        """They do not pile up until then."""
        log = self.open()
        for number in range(BATCH + 1):
            log(record(number))
        self.assertEqual(self.path.read_text().count("\n"), BATCH)

    def test_json(self) -> None:
        """The form is the caller's, and may change."""
        log = self.open(form="json")
        log(record())
        log.write_as(renderer("text"))
        log(record())
        log.flush()
        expected = f"{as_json(record())}\n{as_text(record())}\n"
        self.assertEqual(self.path.read_text(), expected)

    def test_permissions(self) -> None:
        """Records tell who talked to whom: not for everybody."""
        before = os.umask(0)
        try:
            self.open()
        finally:
            os.umask(before)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o640)

    def test_goes_on_in_an_old_file(self) -> None:
        """Nothing that was written before is lost."""
        self.path.write_text("before\n")
        log = self.open()
        log(record())
        log.flush()
        self.assertEqual(self.path.read_text(), f"before\n{as_text(record())}\n")

    def test_reopen(self) -> None:
        """What came before is in the file that was moved away, all else in a new."""
        log = self.open()
        log(record(1))
        moved = self.path.rename(f"{self.path}.1")
        log.reopen()
        log(record(2))
        log.flush()
        self.assertEqual(moved.read_text(), as_text(record(1)) + "\n")
        self.assertEqual(self.path.read_text(), as_text(record(2)) + "\n")

    def test_reopen_fails(self) -> None:
        """The old file stays in use, and that is said."""
        folder = Path(self.mktemp())
        folder.mkdir()
        log = self.open(folder / "access.log")
        moved = folder.rename(f"{folder}.1")
        log.reopen()
        log(record())
        log.flush()
        self.assertEqual((moved / "access.log").read_text(), as_text(record()) + "\n")
        (said,) = self.said
        self.assertRegex(said, "no such file or directory; the old file stays in use")

    def test_full_disk(self) -> None:
        """It is said once, and nothing else happens."""
        log = self.open(Path("/dev/full"))
        for number in range(3):
            log(record(number))
            log.flush()
        expected = "cannot write /dev/full: no space left on device"
        self.assertEqual(self.said, [expected])

    def test_goes_on(self) -> None:
        """
        When writing works again, that is said too; a torn line is ended first.

        A pipe stands for the disk: it is full and becomes empty.
        """
        os.mkfifo(self.path)
        pipe = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, pipe)
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
        log = self.open()
        for number in range(50):
            log(record(number))
        log.flush()
        text = os.read(pipe, 65536).decode()
        whole, torn = text.rsplit("\n", 1)
        self.assertTrue(torn, "the size of the pipe is no multiple of a record's")
        log(record(99))
        log.flush()
        self.assertEqual(
            os.read(pipe, 65536).decode(), "\n" + as_text(record(99)) + "\n"
        )
        lost = 50 - len(whole.split("\n"))
        self.assertEqual(
            self.said,
            [
                f"cannot write {self.path}: resource temporarily unavailable",
                f"{self.path} is written again, {lost} record(s) were lost",
            ],
        )

    def test_cannot_be_opened(self) -> None:
        """One line tells which file and why."""
        path = self.path / "there" / "is" / "none"
        error = self.assertRaises(PortmuxError, self.open, path)
        self.assertEqual(
            str(error), f"cannot open the access log {path}: no such file or directory"
        )

    def test_pipe_without_reader(self) -> None:
        """Opening one would wait for ever; it is refused."""
        os.mkfifo(self.path)
        error = self.assertRaises(PortmuxError, self.open)
        self.assertTrue(re.search("cannot open the access log", str(error)))

    def test_close(self) -> None:
        """What waits is written, and no timer is left."""
        log = AccessLog(str(self.path), renderer("text"), self.clock)
        log(record())
        log.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.path.read_text(), as_text(record()) + "\n")
