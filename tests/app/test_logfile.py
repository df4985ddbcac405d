"""Test portmux.app.logfile."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from portmux.app.logfile import LogFile
from portmux.config.logs import Rotate
from portmux.core.option import Octets
from portmux.errors import PortmuxError
from tests.app.test_output import Heard


def rotate(size: int, keep: int = 2) -> Rotate:
    return Rotate(Octets(size), keep=keep)


class LogFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.path = self.folder / "log"
        heard = Heard("portmux.app.logfile.LogFile")
        self.said = heard.texts
        globalLogPublisher.addObserver(heard)
        self.addCleanup(globalLogPublisher.removeObserver, heard)

    def open(self, when: Rotate | None = None) -> LogFile:
        """@return: a file that the test need not close."""
        made = LogFile(str(self.path), "log", when)
        self.addCleanup(made.close)
        return made

    def files(self) -> dict[str, str]:
        """@return: what is in each file that is there."""
        return {one.name: one.read_text() for one in self.folder.iterdir()}

    def test_grows(self) -> None:
        """Unless somebody says how long, for ever."""
        log = self.open()
        for _ in range(100):
            self.assertEqual(log.write(["x" * 99]), (0, ""))
        self.assertEqual(self.files(), {"log": ("x" * 99 + "\n") * 100})

    def test_turned_over(self) -> None:
        """Before it is too large; as many old ones stay as are kept."""
        log = self.open(rotate(4))
        for line in "abcdefg":
            log.write([line])
        self.assertEqual(
            self.files(), {"log": "g\n", "log.1": "e\nf\n", "log.2": "c\nd\n"}
        )

    def test_keeps_one(self) -> None:
        log = self.open(rotate(2, keep=1))
        for line in "abc":
            log.write([line])
        self.assertEqual(self.files(), {"log": "c\n", "log.1": "b\n"})

    def test_old_file(self) -> None:
        """What was there before counts, and stays."""
        self.path.write_text("before\n")
        self.open(rotate(8)).write(["now"])
        self.assertEqual(self.files(), {"log": "now\n", "log.1": "before\n"})

    def test_lines_of_one_moment(self) -> None:
        """Each file takes as many as it can hold; one that is too long stands alone."""
        log = self.open(rotate(4))
        log.write(["a", "b", "c", "dddd", "e"])
        self.assertEqual(
            self.files(), {"log": "e\n", "log.1": "dddd\n", "log.2": "c\n"}
        )

    @given(
        st.lists(st.lists(st.text("ab", max_size=9), min_size=1), max_size=12),
        st.integers(1, 60),
    )
    def test_no_line_is_lost(self, batches: list[list[str]], size: int) -> None:
        """Old files and new one, in order, hold every line once."""
        for one in self.folder.iterdir():
            one.unlink()
        log = LogFile(str(self.path), "log", rotate(size, keep=200))
        for batch in batches:
            self.assertEqual(log.write(batch), (0, ""))
        log.close()
        for text in self.files().values():
            self.assertTrue(len(text) <= size or text.count("\n") == 1, text)
        names = [f"log.{number}" for number in range(200, 0, -1)] + ["log"]
        texts = self.files()
        whole = "".join(texts.get(name, "") for name in names)
        lines = [line for batch in batches for line in batch]
        self.assertEqual(whole, "".join(f"{line}\n" for line in lines))
        self.assertEqual(set(texts) - set(names), set())

    def test_moved_by_somebody_else(self) -> None:
        """Their file is left as it is; ours goes on under its name."""
        log = self.open(rotate(4))
        log.write(["abc"])
        self.path.rename(self.folder / "theirs")
        log.write(["d"])
        self.assertEqual(self.files(), {"log": "d\n", "theirs": "abc\n"})

    def test_two_programs(self) -> None:
        """Who finds the file turned over goes on in the fresh one."""
        one, other = self.open(rotate(4)), self.open(rotate(4))
        other.write(["a"])
        for line in "bcd":
            one.write([line])
        other.write(["efg"])
        lines = "".join(self.files().values()).split()
        self.assertEqual(sorted(lines), ["a", "b", "c", "d", "efg"])
        self.assertIn("efg\n", self.path.read_text())

    def test_cannot_be_turned_over(self) -> None:
        """It grows on, and that is said once; then it goes on as it should."""
        log = self.open(rotate(4))
        (self.folder / "log.1").write_text("old\n")
        for name, why in {
            "log.2": "is a directory",
            "log.new": f"cannot open the log {self.path}.new: is a directory",
        }.items():
            (self.folder / name).mkdir()
            for line in ("abc", "d", "e"):
                self.assertEqual(log.write([line]), (0, ""))
            expected = [f"cannot rotate {self.path}: {why}; it grows on"]
            self.assertEqual(self.said, expected)
            (self.folder / name).rmdir()
            self.assertEqual(self.files()["log.1"][:3], "old")
            log.write(["f"])
            self.assertEqual(
                self.files(),
                {"log": "f\n", "log.1": "abc\nd\ne\n", "log.2": "old\n"},
            )
            for number in (1, 2):
                (self.folder / f"log.{number}").unlink()
            (self.folder / "log.1").write_text("old\n")
            self.path.write_text("")
            log.reopen()
            self.said.clear()

    def test_reopened(self) -> None:
        """The size counts from anew."""
        log = self.open(rotate(4))
        log.write(["abc"])
        self.path.rename(self.folder / "theirs")
        log.reopen()
        log.write(["abc"])
        self.assertEqual(self.files(), {"log": "abc\n", "theirs": "abc\n"})

    def test_no_file(self) -> None:
        """A device or a pipe is never turned over."""
        os.mkfifo(self.path)
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        log = self.open(rotate(1))
        log.write(["a"])
        log.write(["b"])
        self.assertEqual(os.read(reader, 9), b"a\nb\n")
        self.assertEqual([one.name for one in self.folder.iterdir()], ["log"])

    def test_cannot_be_opened(self) -> None:
        self.path.mkdir()
        error = self.assertRaises(PortmuxError, self.open)
        self.assertEqual(str(error), f"cannot open the log {self.path}: is a directory")
