"""Tests for L{portmux.core.frame.httpdialogue}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import Frame, Trouble
from portmux.core.frame.http import Http
from portmux.core.frame.httpdialogue import HTTP_DIALOGUE
from tests.core.frame.reading import read
from tests.core.frame.test_http import GET, HEAD, OK, answers


class DialogueTests(SynchronousTestCase):
    dialogue = HTTP_DIALOGUE

    def test_of_http(self) -> None:
        self.assertIs(Http().dialogue, HTTP_DIALOGUE)

    def test_without_numbers(self) -> None:
        self.assertFalse(self.dialogue.numbered)
        self.assertIsNone(self.dialogue.number(GET))
        self.assertIs(self.dialogue.outgoing(GET, 1), GET)
        self.assertIs(self.dialogue.incoming(GET, HEAD), HEAD)
        self.assertIsNone(self.dialogue.mismatch(GET, Frame(OK)))
        self.assertTrue(self.dialogue.answered(GET))

    def test_repeatable(self) -> None:
        """RFC 9110, section 9.2.1: safe methods."""
        for method in ("GET", "HEAD", "OPTIONS", "TRACE"):
            request = Frame(f"{method} / HTTP/1.1\r\n\r\n".encode())
            self.assertTrue(self.dialogue.repeatable(request), method)
        for method in ("PUT", "POST", "DELETE", "PATCH", "GETX", "get"):
            request = Frame(f"{method} / HTTP/1.1\r\n\r\n".encode())
            self.assertFalse(self.dialogue.repeatable(request), method)

    def test_failure(self) -> None:
        """An answer that a client reads to its end, as long as it says."""
        for trouble, status in (
            (Trouble.UNREACHABLE, b"502 Bad Gateway"),
            (Trouble.SILENT, b"504 Gateway Timeout"),
            (Trouble.BROKEN, b"502 Bad Gateway"),
        ):
            for request in (GET, HEAD):
                frame = self.dialogue.failure(request, trouble)
                assert frame is not None
                self.assertTrue(frame.data.startswith(b"HTTP/1.1 " + status + b"\r\n"))
                self.assertEqual(read(answers, frame.data, request), [frame.data])
                body = frame.data.partition(b"\r\n\r\n")[2]
                self.assertEqual(body, b"" if request is HEAD else status + b"\n")

    def test_last_failure(self) -> None:
        """Who wanted no more than this answer is told that it is the last."""
        frame = self.dialogue.failure(Frame(b"GET /", closes=True), Trouble.SILENT)
        assert frame is not None
        self.assertIn(b"\r\nConnection: close\r\n", frame.data)
        self.assertTrue(frame.closes)
