"""docs/howto/programs.md: its commands, and somebody who sits at a terminal."""

from __future__ import annotations

from tests.manual.transcript import DOCS, TranscriptCase
from tests.peers.cookbook import ANY, CookbookCase


class FollowedTests(TranscriptCase):
    def test_page(self) -> None:
        """Its blocks of commands print what it says."""
        self.assertEqual(self.follow(DOCS / "howto" / "programs.md"), 2)


class TerminalTests(CookbookCase):
    page = "programs"

    def test_a_person(self) -> None:
        """From terminal to terminal, by the page's socat."""
        running = self.front_of("portmux.conf", {"127.0.0.1:8400": ANY})
        line = "socat STDIO,raw,echo=0 TCP:127.0.0.1:8400"
        line = self.line(line, {"8400": running.port()})
        person = self.talk_by_terminal("sh", "-c", f"exec {line}")
        person.say(b"terminal")
        self.assertIn(b"/dev/pts/", person.rest())
        self.assertEqual(person.status(), 0)
        record = self.record(running)
        self.assertEqual((record["route"], record["end"]), ("terminal", "done"))
