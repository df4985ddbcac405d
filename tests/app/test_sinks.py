"""Test portmux.app.sinks; L{portmux.app.sinks.Stream} with those of the output."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

from twisted.logger import Logger, LogLevel
from twisted.trial.unittest import SynchronousTestCase

from portmux.app.output import Output
from portmux.app.sinks import MessageFile, Syslog
from portmux.core.record import as_text
from portmux.errors import PortmuxError
from tests.app.test_output import record


class SyslogTests(SynchronousTestCase):
    """A socket of ours is the system's log."""

    def setUp(self) -> None:
        self.path = os.path.relpath(self.mktemp())
        self.listen()
        self.syslog = Syslog(self.path)
        self.addCleanup(self.syslog.close)

    def listen(self) -> None:
        self.log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.log.close)
        self.log.setblocking(False)
        self.log.bind(self.path)

    def heard(self) -> bytes:
        """@return: one datagram, which must be there."""
        return self.log.recv(65536)

    def test_line(self) -> None:
        """Facility and level, time and name as syslog(3) writes them; no end."""
        for level, number in (
            (LogLevel.debug, 31),
            (LogLevel.info, 30),
            (LogLevel.warn, 28),
            (LogLevel.error, 27),
            (LogLevel.critical, 26),
        ):
            self.assertTrue(self.syslog.put(level, "words"))
            stamp = r"[A-Z][a-z][a-z] [ 123]\d \d\d:\d\d:\d\d"
            pattern = rf"<{number}>{stamp} portmux\[{os.getpid()}\]: words"
            self.assertTrue(re.fullmatch(pattern, self.heard().decode()))

    def test_messages_and_records(self) -> None:
        """A message has no time of its own; a record is what it always is."""
        output = Output(2)
        output.send_to(self.syslog)
        log = Logger("portmux.access", observer=output)
        log.warn("so it is")
        self.assertTrue(self.heard().endswith(b"]: warn: so it is"))
        log.info("", record=record())
        self.assertTrue(self.heard().endswith(f"]: {as_text(record())}".encode()))
        output.json = True
        log.warn("so it is")
        self.assertIn(b']: {"time":"', self.heard())

    def test_started_anew(self) -> None:
        """What is said while nobody listens is lost; then it goes on."""
        self.log.close()
        self.assertFalse(self.syslog.put(LogLevel.info, "lost"))
        os.unlink(self.path)
        self.listen()
        self.assertTrue(self.syslog.put(LogLevel.info, "again"))
        self.assertTrue(self.heard().endswith(b": again"))

    def test_started_anew_unnoticed(self) -> None:
        """Nothing is lost."""
        self.log.close()
        os.unlink(self.path)
        self.listen()
        self.assertTrue(self.syslog.put(LogLevel.info, "first"))
        self.assertTrue(self.heard().endswith(b": first"))

    def test_nobody_reads(self) -> None:
        """Nothing waits; what does not fit is lost, and that is said."""
        output = Output(2)
        output.send_to(self.syslog)
        log = Logger("portmux.test", observer=output)
        for _ in range(5000):
            log.info("x" * 1000)
        count = 0
        try:
            while True:
                self.heard()
                count += 1
        except BlockingIOError:
            pass
        self.assertIn(count, range(1, 5000))
        log.info("again")
        self.heard()
        said = f"{5000 - count} line(s) of this log were lost"
        self.assertTrue(self.heard().endswith(said.encode()))

    def test_is_not_there(self) -> None:
        error = self.assertRaises(PortmuxError, Syslog, "no/such")
        self.assertEqual(
            str(error), "cannot reach syslog at no/such: no such file or directory"
        )


class MessageFileTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """A line each, with the time; the stream says nothing then."""
        path = Path(self.mktemp())
        file = MessageFile(str(path), "log")
        self.addCleanup(file.close)
        output = Output(2)
        output.send_to(file)
        Logger("portmux.test", observer=output).info("so it is")
        self.assertRegex(path.read_text(), r"\A\S+Z info: so it is\n\Z")

    def test_full_disk(self) -> None:
        file = MessageFile("/dev/full", "log")
        self.addCleanup(file.close)
        self.assertFalse(file.put(LogLevel.info, "words"))
