"""Tests for L{portmux.core.match.time}."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.head import Opens, Reason, Verdict
from portmux.core.match import time
from portmux.core.match.time import Days, Hours, Time
from portmux.core.registry import Registry
from portmux.testing import head_of

FRIDAY = datetime(2026, 2, 27, tzinfo=UTC)


EXAMPLES = (Time((Hours("08:00-18:00"),), zone="UTC"), Time(days=(Days("sat-sun"),)))


def moment(day: int, hour: int, minute: int = 0) -> float:
    """@return: a time in the week of that Friday; days count from it."""
    return FRIDAY.timestamp() + day * 86400 + hour * 3600 + minute * 60


def in_utc(hours: tuple[str, ...] = (), days: tuple[str, ...] = ()) -> Time:
    return Time(tuple(map(Hours, hours)), days=tuple(map(Days, days)), zone="UTC")


class TimeTests(SynchronousTestCase):
    def matches(self, matcher: Time, at: float) -> bool:
        """@return: the verdict, which needs no bytes and never changes."""
        self.assertNotIsInstance(matcher, Opens)
        found = {matcher.match(head_of(data, at=at)) for data in (b"", b"abc")}
        self.assertEqual(len(found), 1)
        self.assertNotIn(Verdict.MORE, found)
        return found == {Verdict.YES}

    def test_hours(self) -> None:
        """The first minute belongs to it, the last one's end does not."""
        office = in_utc(("08:00-18:00",))
        for hour, minute, inside in (
            (7, 59, False),
            (8, 0, True),
            (17, 59, True),
            (18, 0, False),
        ):
            at = moment(0, hour, minute)
            self.assertIs(self.matches(office, at), inside, (hour, minute))

    def test_whole_day(self) -> None:
        whole = in_utc(("00:00-24:00",))
        self.assertTrue(self.matches(whole, moment(0, 0)))
        self.assertTrue(self.matches(whole, moment(0, 23, 59)))

    def test_days(self) -> None:
        """One, several, and over the end of the week."""
        for days, inside in (
            ("fri", {0}),
            ("mon-fri", {0, -4, -3, -2, -1}),
            ("Sat-monday", {1, 2, -4}),
            ("thu-wed", {0, 1, 2, -4, -3, -2, -1}),
        ):
            found = {
                day
                for day in range(-4, 3)
                if self.matches(in_utc(days=(days,)), moment(day, 12))
            }
            self.assertEqual(found, inside, days)

    def test_night(self) -> None:
        """After midnight it is still the night of the day on which it began."""
        night = in_utc(("22:00-06:00",), ("fri",))
        self.assertTrue(self.matches(night, moment(0, 22)))
        self.assertTrue(self.matches(night, moment(1, 5, 59)))
        self.assertFalse(self.matches(night, moment(1, 6)))
        self.assertFalse(self.matches(night, moment(0, 5)))
        self.assertFalse(self.matches(night, moment(1, 22)))

    def test_any_of_several(self) -> None:
        found = in_utc(("08:00-09:00", "20:00-21:00"), ("mon", "fri"))
        self.assertTrue(self.matches(found, moment(0, 20, 30)))
        self.assertTrue(self.matches(found, moment(-4, 8, 30)))
        self.assertFalse(self.matches(found, moment(-4, 12)))
        self.assertFalse(self.matches(found, moment(1, 8, 30)))

    def test_zone(self) -> None:
        """Also where clocks are put forward; without one it is the system's."""
        berlin = Time((Hours("08:00-18:00"),), zone="Europe/Berlin")
        self.assertTrue(self.matches(berlin, moment(0, 7)))
        self.assertFalse(self.matches(berlin, moment(0, 17)))
        self.assertTrue(self.matches(berlin, moment(120, 6)))
        noon = datetime(2026, 2, 27, 12).timestamp()
        self.assertTrue(self.matches(Time((Hours("12:00-12:01"),)), noon))

    def test_why(self) -> None:
        reason = in_utc(("08:00-18:00",)).why(head_of(at=moment(0, 18, 30)))
        self.assertEqual(reason, Reason("friday 18:30 is not a time chosen"))

    @given(st.integers(0, 1439), st.integers(0, 1440), st.integers(0, 1439))
    def test_either_it_or_its_complement(self, one: int, two: int, at: int) -> None:
        """A span and the rest of the day share no minute and leave none out."""
        one, two = one % 1440, two % 1440
        if one == two:
            return
        first, second = (f"{m // 60:02}:{m % 60:02}" for m in (one, two))
        when = moment(0, 0, at)
        inside = self.matches(in_utc((f"{first}-{second}",)), when)
        outside = self.matches(in_utc((f"{second}-{first}",)), when)
        self.assertIsNot(inside, outside)

    def test_faults(self) -> None:
        """Each says what is wanted."""
        for text, said in (
            ("8-18", "is no span such as 08:00-18:00"),
            ("08:00-18:60", "18:60 is no time"),
            ("08:00-24:01", "24:01 is no time"),
            ("08:00-08:00", "is empty"),
            ("24:00-08:00", "is empty"),
        ):
            self.assertIn(said, str(self.assertRaises(ValueError, Hours, text)))
        for text in ("", "m", "noday", "mon-", "mon-fri-sat"):
            wrong = self.assertRaises(ValueError, Days, text)
            self.assertIn("no days such as mon-fri", str(wrong))
        for zone in ("Nowhere/No", "../etc/passwd", ""):
            wrong = self.assertRaises(ValueError, Time, days=(Days("mon"),), zone=zone)
            self.assertIn("one such as Europe/Berlin", str(wrong))
        self.assertIn("hours or days", str(self.assertRaises(ValueError, Time)))


class RegisterTests(SynchronousTestCase):
    def test_name(self) -> None:
        registry = Registry()
        time.register(registry)
        self.assertIs(registry.matchers["time"], Time)
