"""Backends that are killed and revived."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bench.killing import Kill
from bench.revive import LOST, Verdict, judge, parse, run
from bench.sessions import REFUSED, SERVED
from tests.bench.needs import missing

KILL = Kill("127.0.0.1:1", 1000.5, 1000.6)
"""At 00:16:40.5."""


def record(
    port: int, end: str, time: str = "1970-01-01T00:16:40.000Z", backend: int = 1
) -> dict[str, Any]:
    """@return: that of a session of one second."""
    client, to = f"127.0.0.1:{port}", f"127.0.0.1:{backend}"
    return {"client": client, "backend": to, "time": time, "seconds": 1.0, "end": end}


def judged(how: str, *records: dict[str, Any]) -> Verdict:
    """@return: of one session, at port 7."""
    return judge(200.0, [(7, how)], [KILL], records)


class JudgeTests(SynchronousTestCase):
    def test_served(self) -> None:
        self.assertEqual(judged(SERVED, record(7, "done", backend=2)).faults(200), [])

    def test_struck(self) -> None:
        """Its backend was killed while it lived: it may fail."""
        found = judged("cut", record(7, LOST))
        self.assertEqual((found.failed, found.struck, found.lost), (1, 1, 1))
        self.assertEqual(found.faults(200), [])

    def test_ended_in_order(self) -> None:
        """Its record has to say what became of it."""
        found = judged("cut", record(7, "done"))
        self.assertEqual((found.failed, found.struck, found.lost), (1, 1, 0))
        (fault,) = found.faults(200)
        self.assertIn("1 failed, and their records do not say backend-lost", fault)

    def test_struck_and_served(self) -> None:
        """Who has the whole answer by then does not fail."""
        found = judged(SERVED, record(7, "done"))
        self.assertEqual((found.failed, found.struck), (0, 1))

    def test_failed_for_nothing(self) -> None:
        """Another backend was killed, or this one at another time."""
        late = "1970-01-01T00:16:41.000Z"
        early = "1970-01-01T00:16:39.000Z"
        for one in (
            record(7, LOST, backend=2),
            record(7, LOST, time=late),
            record(7, LOST, time=early),
        ):
            self.assertIn("backends being alive", judged("cut", one).faults(200)[0])

    def test_not_connected(self) -> None:
        for how, records in (
            (REFUSED, []),
            ("cut", [record(7, "no-backend")]),
            ("cut", [record(7, "connect-failed")]),
        ):
            self.assertEqual(
                judged(how, *records).faults(200), ["1 failed while connecting"]
            )

    def test_no_record(self) -> None:
        self.assertEqual(judged(SERVED).faults(200), ["1 have no record"])

    def test_port_that_comes_back(self) -> None:
        """Two sessions, each with its record."""
        ended = [(7, "cut"), (7, SERVED)]
        late = "1970-01-01T00:18:00.000Z"
        records = [record(7, "done", time=late), record(7, LOST)]
        found = judge(200.0, ended, [KILL], records)
        self.assertEqual((found.failed, found.struck), (1, 1))
        self.assertEqual(found.faults(200), [])

    def test_pace(self) -> None:
        """Without load, or without a kill, nothing was shown."""
        found = judge(100.0, [(7, SERVED)], [], [record(7, "done")])
        pace, kills = found.faults(200)
        self.assertIn("100 of 200/s", pace)
        self.assertIn("no backend was killed", kills)


class RunTests(SynchronousTestCase):
    skip = missing("cc")

    def test_run(self) -> None:
        """One backend after another dies and comes back, and nobody is refused."""
        words = "--seconds 1.5 --pace 50 --hold 0.05 --dead 0.2 --alive 0.2"
        found = run(parse(words.split()))
        self.assertGreater(found.sessions, 40)
        self.assertGreater(found.kills, 1)
        self.assertEqual(found.faults(1.0), [])
