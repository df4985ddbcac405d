"""Test portmux.commands.top."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.commands.top import Picture, drawn, octets, table

LISTENER = {
    "listener": "front",
    "sessions": 2,
    "accepted": 10,
    "sent": 0,
    "received": 0,
}
BACKEND = {
    "backend": "a:1",
    "pool": "p",
    "state": "up",
    "sessions": 2,
    "sent": 0,
    "received": 0,
    "errors": 1,
}
SESSION = {
    "session": 1,
    "listener": "front",
    "route": "web",
    "client": "192.0.2.1:5",
    "backend": None,
    "seconds": 7.4,
    "sent": 0,
    "received": 0,
}


def picture(at: float, **more: Any) -> Picture:
    version = {"version": "1", "seconds": 60, "sessions": 2}
    rows = ({**LISTENER, **more}, {**BACKEND, **more}, {**SESSION, **more})
    return Picture(at, version, *([row] for row in rows))


class TopTests(SynchronousTestCase):
    def test_rates(self) -> None:
        """What has been moved between two pictures, a second."""
        before = picture(0.0)
        now = picture(2.0, accepted=14, sent=3000, received=5_000_000)
        lines = list(drawn(before, now, 200, 100))
        self.assertEqual(
            lines[0],
            "portmux 1, up 60s, 2 session(s), 2 new/s, 1.5k/s sent, 2.5M/s received",
        )
        self.assertIn("front     2     14        1.5k    2.5M", lines)
        self.assertIn("a:1      p     up     2     1.5k    2.5M        1", lines)
        self.assertIn(
            "1        front     web    192.0.2.1:5  -        7        1.5k    2.5M",
            lines,
        )

    def test_fits(self) -> None:
        """As much as a terminal has place for."""
        lines = list(drawn(picture(0.0), picture(1.0), 20, 5))
        self.assertEqual(len(lines), 4)
        self.assertTrue(all(len(line) <= 20 for line in lines))

    def test_new(self) -> None:
        """What was not there before has no rate yet; nothing is less than none."""
        before = Picture(0.0, {}, [], [], [])
        lines = list(drawn(before, picture(1.0, sent=9), 200, 100))
        self.assertIn(" 0 new/s, 0/s sent", lines[0])
        lines = list(drawn(picture(0.0, sent=9), picture(1.0), 200, 100))
        self.assertIn(" 0/s sent", lines[0])

    def test_octets(self) -> None:
        for number, text in [(0, "0"), (999, "999"), (1500, "1.5k"), (2e15, "2000.0T")]:
            self.assertEqual(octets(number), text)

    def test_table(self) -> None:
        lines = list(table([("A", "B"), ("long", "x")]))
        self.assertEqual(lines, ["A     B", "long  x"])
        self.assertEqual(list(table([])), [])
