"""Tests for L{portmux.net.connecting}; tests.integration.test_dial has TCP."""

from __future__ import annotations

import socket
import tempfile
from errno import ECONNREFUSED
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from portmux.net.connecting import Begun, begin, clause
from portmux.net.dial import Wanted
from portmux.net.names import Name


class BeginTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def name(self, file: str) -> Name:
        return socket.AF_UNIX, str(Path(self.directory.name) / file)

    def listen(self, file: str = "socket", backlog: int = 10) -> Name:
        """@return: where a socket listens now."""
        listening = socket.socket(socket.AF_UNIX)
        self.addCleanup(listening.close)
        name = self.name(file)
        listening.bind(name[1])
        listening.listen(backlog)
        return name

    def begin(self, name: Name, first: bytes) -> Begun:
        begun = begin(name, Wanted(first))
        assert isinstance(begun, Begun), begun
        self.addCleanup(begun.sock.close)
        return begun

    def test_first_bytes(self) -> None:
        """They go with it, as many as there is room for."""
        few, none, many = (
            self.begin(self.listen(str(number)), first)
            for number, first in enumerate((b"hello", b"", bytes(8 << 20)))
        )
        self.assertEqual((few.sent, few.waiting), (5, False))
        self.assertEqual((none.sent, none.waiting), (0, False))
        self.assertTrue(0 < many.sent < 8 << 20)
        self.assertEqual(few.sock.gettimeout(), 0.0)

    def test_failures(self) -> None:
        """Each is one clause."""
        full = self.listen(backlog=0)
        self.begin(full, b"")
        for name, why in (
            (self.name("none"), "no such file or directory"),
            (full, "resource temporarily unavailable"),
            (self.name("a" * 200), "af_unix path too long"),
        ):
            self.assertEqual(begin(name, Wanted(b"hello")), why)

    def test_no_source(self) -> None:
        """It is told what is the matter."""
        name = socket.AF_INET, ("127.0.0.1", 9)
        self.assertEqual(
            begin(name, Wanted(b"", source=("::1",))), "no source address is IPv4"
        )
        self.assertEqual(
            begin(name, Wanted(b"", source=("192.0.2.1",))),
            "source 192.0.2.1: cannot assign requested address",
        )


class ClauseTests(SynchronousTestCase):
    def test_words(self) -> None:
        self.assertEqual(clause(ECONNREFUSED), "connection refused")
        self.assertEqual(clause(None), clause(0))
