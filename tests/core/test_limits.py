"""Tests for L{portmux.core.limits}."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Address, Host, Unix
from portmux.core.limits import Ban, Count, Gate, Limits, source_key
from tests.core.memory import octets_kept


def gate(
    connections: int | None = None,
    per_source: int | None = None,
    rate: float | None = None,
    ban: Ban | None = None,
    whole: Count | None = None,
) -> Gate:
    return Gate(Limits(connections, per_source, rate, ban), whole or Count())


def client(last: int = 1) -> Host:
    return Host(f"192.0.2.{last}", 40000)


class SourceTests(SynchronousTestCase):
    """What counts as one source."""

    def test_ipv4_address(self) -> None:
        """The port is another one for each connection."""
        self.assertEqual(source_key(Host("192.0.2.7", 1)), "192.0.2.7")
        self.assertEqual(source_key(Host("192.0.2.7", 2)), "192.0.2.7")

    def test_ipv6_network(self) -> None:
        """Whoever has one IPv6 address has all of its /64."""
        one = source_key(Host("2001:db8:0:1::1", 1))
        self.assertEqual(one, source_key(Host("2001:db8:0:1:ffff:ffff:ffff:ffff", 1)))
        self.assertNotEqual(one, source_key(Host("2001:db8:0:2::1", 1)))
        self.assertEqual(one, "2001:db8:0:1::/64")

    def test_mapped_address(self) -> None:
        """A client is the same by either family."""
        self.assertEqual(source_key(Host("::ffff:192.0.2.7", 1)), "192.0.2.7")

    def test_scope(self) -> None:
        """It tells our interfaces apart, not the clients."""
        self.assertEqual(source_key(Host("fe80::1%eth0", 1)), "fe80::/64")
        self.assertEqual(source_key(Host("fe80::2%\u00e91", 1)), "fe80::/64")

    def test_unix_socket(self) -> None:
        self.assertIsNone(source_key(Unix("/run/client")))


class CountTests(SynchronousTestCase):
    def test_full(self) -> None:
        """At the limit, or above one that was lowered."""
        self.assertFalse(Count(None, live=10**6).full)
        self.assertFalse(Count(3, live=2).full)
        self.assertTrue(Count(3, live=3).full)
        self.assertTrue(Count(3, live=4).full)


class NumberTests(SynchronousTestCase):
    """Limits of how many there may be."""

    def test_none(self) -> None:
        """Without limits everybody gets in, and is counted."""
        here = gate()
        for _ in range(1000):
            self.assertIsNone(here.admit(here.key(client()), 0.0))
        self.assertEqual((here.live, here.whole.live), (1000, 1000))

    def test_of_the_listener(self) -> None:
        """It is exact, and room that was given back is there again."""
        here = gate(connections=2)
        for last in (1, 2):
            self.assertIsNone(here.admit(here.key(client(last)), 0.0))
        self.assertEqual(here.admit(here.key(client(3)), 0.0), "connections")
        here.release(here.key(client(1)))
        self.assertIsNone(here.admit(here.key(client(3)), 0.0))

    def test_of_the_process(self) -> None:
        """All listeners share it; the one that is refused counts nowhere."""
        whole = Count(most=2)
        one, other = gate(whole=whole), gate(whole=whole)
        self.assertIsNone(one.admit(None, 0.0))
        self.assertIsNone(other.admit(None, 0.0))
        self.assertEqual(one.admit(None, 0.0), "connections-in-all")
        self.assertEqual((one.live, other.live, whole.live), (1, 1, 2))

    def test_per_source(self) -> None:
        """One source that has all it may get hinders no other."""
        here = gate(per_source=2)
        for _ in range(2):
            self.assertIsNone(here.admit(here.key(client(1)), 0.0))
        self.assertEqual(here.admit(here.key(client(1)), 0.0), "per-source")
        self.assertIsNone(here.admit(here.key(client(2)), 0.0))
        here.release(here.key(client(1)))
        self.assertIsNone(here.admit(here.key(client(1)), 0.0))

    def test_unix_clients_have_no_source(self) -> None:
        """They are limited in number only."""
        here = gate(connections=5, per_source=1, rate=0.1)
        for _ in range(5):
            self.assertIsNone(here.admit(here.key(Unix("")), 0.0))
        self.assertEqual(here.admit(here.key(Unix("")), 0.0), "connections")

    def test_refused_takes_nothing(self) -> None:
        """Who was refused costs neither a place nor a token."""
        here = gate(connections=1, per_source=5, rate=2.0)
        first = here.key(client())
        self.assertIsNone(here.admit(first, 0.0))
        for _ in range(9):
            self.assertEqual(here.admit(first, 0.0), "connections")
        here.release(first)
        self.assertIsNone(here.admit(first, 0.0))
        self.assertEqual(here.live, 1)

    def test_limits_may_change_under_live_connections(self) -> None:
        """What was let in uncounted is not taken off another's count."""
        here = gate()
        early = here.key(client())
        here.admit(early, 0.0)
        here.limits = Limits(per_source=1)
        late = here.key(client())
        self.assertIsNone(here.admit(late, 0.0))
        here.release(early)
        self.assertEqual(here.admit(here.key(client()), 0.0), "per-source")
        here.limits = Limits()
        here.release(late)
        here.limits = Limits(per_source=1)
        self.assertIsNone(here.admit(here.key(client()), 0.0))


class RecountTests(SynchronousTestCase):
    """What is over and was not counted out is in nobody's way."""

    def recounted(self, here: Gate, key: str | None) -> str | None:
        """@return: what becomes of a second one, when the first is found to be over."""
        asked = []

        def recount() -> bool:
            asked.append(key)
            here.release(key)
            return True

        self.assertIsNone(here.admit(key, 0.0))
        refusal = here.admit(key, 0.0)
        assert refusal is not None
        self.assertEqual(here.insist(refusal, key, 0.0), refusal, "nobody recounts")
        here.whole.recount = recount
        found = here.insist(refusal, key, 0.0)
        self.assertEqual(len(asked), 1 if found is None else 0)
        return found

    def test_numbers(self) -> None:
        for here in (gate(connections=1), gate(per_source=1), gate(whole=Count(1))):
            self.assertIsNone(self.recounted(here, "192.0.2.1"))
            self.assertEqual((here.live, here.whole.live), (1, 1))

    def test_rate(self) -> None:
        """A rate is not of what is live."""
        self.assertEqual(self.recounted(gate(rate=1), "192.0.2.1"), "rate")


class RateTests(SynchronousTestCase):
    """New connections per second."""

    def admitted(self, here: Gate, now: float, asked: int) -> int:
        """@return: how many of so many connections get in."""
        found = 0
        for _ in range(asked):
            key = here.key(client())
            if here.admit(key, now) is None:
                here.release(key)
                found += 1
        return found

    def test_burst_and_average(self) -> None:
        """As many at once as in one second; then as they come in by the clock."""
        here = gate(rate=4.0)
        self.assertEqual(self.admitted(here, 100.0, 10), 4)
        self.assertEqual(here.admit(here.key(client()), 100.0), "rate")
        self.assertEqual(self.admitted(here, 100.5, 10), 2)
        self.assertEqual(self.admitted(here, 100.5, 10), 0)
        self.assertEqual(self.admitted(here, 1000.0, 10), 4)

    def test_less_than_one_a_second(self) -> None:
        """The first gets in, the next when its time has come."""
        here = gate(rate=0.5)
        self.assertEqual(self.admitted(here, 0.0, 3), 1)
        self.assertEqual(self.admitted(here, 1.0, 3), 0)
        self.assertEqual(self.admitted(here, 2.0, 3), 1)

    def test_each_source_has_its_own(self) -> None:
        here = gate(rate=1.0)
        self.assertEqual(self.admitted(here, 0.0, 5), 1)
        self.assertIsNone(here.admit(here.key(client(2)), 0.0))

    def test_live_connections_do_not_matter(self) -> None:
        """It is about new ones, whether they stay or not."""
        here = gate(rate=2.0)
        stays = here.key(client())
        self.assertIsNone(here.admit(stays, 0.0))
        self.assertEqual(self.admitted(here, 0.0, 5), 1)

    def test_a_clock_that_is_set_back(self) -> None:
        """It costs nobody more than the time until it goes on."""
        here = gate(rate=2.0)
        self.assertEqual(self.admitted(here, 5000.0, 5), 2)
        self.assertEqual(self.admitted(here, 1000.0, 5), 0)
        self.assertEqual(self.admitted(here, 1000.5, 5), 1)

    @given(
        st.floats(0.1, 50.0),
        st.lists(st.floats(0.0, 2.0), max_size=60),
    )
    def test_never_more_than_burst_and_average(
        self, rate: float, pauses: Sequence[float]
    ) -> None:
        """In whatever rhythm they come: one burst, and the average from then on."""
        here, now, found = gate(rate=rate), 1000.0, 0
        for pause in pauses:
            now += pause
            found += self.admitted(here, now, 3)
        self.assertLessEqual(found, max(1.0, rate) + rate * (now - 1000.0) + 1e-6)


class BanTests(SynchronousTestCase):
    """A source whose sniffs keep failing."""

    def setUp(self) -> None:
        self.here = gate(ban=Ban(failures=3, within=10.0, duration=60.0))
        self.key = self.here.key(client())

    def fail_at(self, *moments: float) -> list[bool]:
        return [self.here.failed(self.key, now) for now in moments]

    def test_off(self) -> None:
        """Without one, nothing is counted and nobody is refused."""
        here = gate(per_source=5)
        key = here.key(client())
        self.assertEqual({here.failed(key, 0.0) for _ in range(100)}, {False})
        self.assertIsNone(here.admit(key, 0.0))
        self.assertIsNone(gate().key(client()))

    def test_on(self) -> None:
        """The last of so many failures bans, for as long as is said."""
        self.assertEqual(self.fail_at(0.0, 1.0, 2.0), [False, False, True])
        self.assertEqual(self.here.bans, 1)
        self.assertEqual(self.here.admit(self.key, 2.0), "ban")
        self.assertEqual(self.here.admit(self.key, 61.9), "ban")
        self.assertIsNone(self.here.admit(self.key, 62.0))

    def test_others_get_in(self) -> None:
        self.fail_at(0.0, 0.0, 0.0)
        self.assertIsNone(self.here.admit(self.here.key(client(2)), 0.0))

    def test_any_so_many_seconds(self) -> None:
        """The time is that of the last failures, not of the first ever."""
        self.assertEqual(self.fail_at(0.0, 9.0, 11.0, 12.0), [False] * 3 + [True])
        self.assertEqual(self.fail_at(*range(100, 200, 6)), [False] * 17)

    def test_counting_begins_anew(self) -> None:
        """After a ban it takes as many failures as before."""
        self.here.limits = Limits(ban=Ban(failures=3, within=100.0, duration=5.0))
        self.fail_at(0.0, 0.0, 0.0)
        self.assertEqual(self.fail_at(5.0, 5.0, 5.0), [False, False, True])
        self.assertEqual(self.here.bans, 2)

    def test_a_unix_client_is_never_banned(self) -> None:
        """It has no address by which it could be refused."""
        for _ in range(9):
            self.assertFalse(self.here.failed(self.here.key(Unix("")), 0.0))

    def test_a_ban_outlives_its_connections(self) -> None:
        """The source is known although nothing of it is live."""
        self.here.admit(self.key, 0.0)
        self.fail_at(0.0, 0.0, 0.0)
        self.here.release(self.key)
        self.assertEqual(self.here.admit(self.key, 1.0), "ban")


class TableTests(SynchronousTestCase):
    """What is remembered of sources is bounded."""

    def gate(
        self,
        per_source: int | None = None,
        rate: float | None = None,
        ban: Ban | None = None,
    ) -> Gate:
        return Gate(Limits(None, per_source, rate, ban), Count(), table=100)

    def pass_by(self, here: Gate, count: int, first: int = 0) -> None:
        """So many other sources come, fail and go."""
        for number in range(first, first + count):
            key = here.key(Host(f"10.0.{number >> 8}.{number & 255}", 1))
            if here.admit(key, 0.0) is None:
                here.failed(key, 0.0)
                here.release(key)

    def kept_of(self, here: Gate) -> int:
        """@return: octets that thousands of sources take, once the table is full."""
        self.pass_by(here, 300)
        return octets_kept(lambda: self.pass_by(here, 5000, 300))

    def test_bounded(self) -> None:
        """However many sources there are, no more than a table of them is kept."""
        self.assertLess(self.kept_of(self.gate(9, 1.0, Ban(2, 60.0, 60.0))), 60_000)

    def test_bans_are_bounded(self) -> None:
        """Also when everybody is banned."""
        self.assertLess(self.kept_of(self.gate(ban=Ban(1, 60.0, 60.0))), 60_000)

    def test_nothing_to_remember(self) -> None:
        """A limit of live connections needs no memory of those that ended."""
        self.assertLess(self.kept_of(self.gate(per_source=9)), 1000)

    def test_live_sources_keep_their_count(self) -> None:
        """However many come and go, who has all it may have gets no more."""
        here = self.gate(per_source=1, rate=1.0)
        keys = [here.key(client(last)) for last in range(1, 201)]
        self.assertEqual({here.admit(key, 0.0) for key in keys}, {None})
        self.pass_by(here, 1000)
        self.assertEqual({here.admit(key, 9.0) for key in keys}, {"per-source"})
        for key in keys:
            here.release(key)
        self.assertEqual((here.live, here.admit(keys[0], 9.0)), (0, None))

    def test_a_crowd_does_not_lift_a_ban(self) -> None:
        """Who can come from many addresses cannot wash itself clean by them."""
        here = self.gate(ban=Ban(2, 60.0, 60.0))
        key = here.key(client())
        here.failed(key, 0.0)
        here.failed(key, 0.0)
        self.pass_by(here, 1000)
        self.assertEqual(here.admit(key, 1.0), "ban")

    def test_bans_that_are_over_make_room(self) -> None:
        """The table holds those that still are in force."""
        here = self.gate(ban=Ban(1, 60.0, 60.0))
        key = here.key(client())
        here.failed(key, 0.0)
        self.pass_by(here, 99)
        here.failed(here.key(client(2)), 59.0)
        self.assertEqual(here.admit(here.key(client(2)), 60.0), "ban")
        self.assertIsNone(here.admit(key, 60.0))

    def test_the_oldest_ban_goes_first(self) -> None:
        """One that was renewed is a new one."""
        here = Gate(Limits(ban=Ban(1, 60.0, 60.0)), Count(), table=2)
        one, two, three = (here.key(client(last)) for last in (1, 2, 3))
        for key, now in ((one, 0.0), (two, 50.0), (one, 61.0), (three, 62.0)):
            self.assertTrue(here.failed(key, now))
        self.assertEqual(here.admit(one, 63.0), "ban")
        self.assertEqual(here.admit(three, 63.0), "ban")

    def test_the_longest_unused_goes_first(self) -> None:
        """A source that keeps coming keeps its bucket."""
        here = self.gate(rate=1.0)
        key = here.key(client())
        self.assertIsNone(here.admit(key, 0.0))
        here.release(key)
        self.pass_by(here, 60)
        self.assertEqual(here.admit(key, 0.0), "rate")
        self.pass_by(here, 60, 60)
        self.assertEqual(here.admit(key, 0.0), "rate")
        self.pass_by(here, 100, 200)
        self.assertIsNone(here.admit(key, 0.0))


class GateProperties(SynchronousTestCase):
    """Against a model that counts everything by hand."""

    sources: Sequence[Address] = (
        client(1),
        client(2),
        Host("2001:db8::1", 1),
        Host("2001:db8::2%lo", 2),
        Host("::ffff:192.0.2.1", 3),
        Unix("/c"),
    )

    @given(
        st.integers(1, 6) | st.none(),
        st.integers(1, 3) | st.none(),
        st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=80),
    )
    def test_counts(
        self,
        most: int | None,
        per_source: int | None,
        events: Sequence[tuple[int, bool]],
    ) -> None:
        """Whatever the order of coming and going: exact limits, zero in the end."""
        here = gate(connections=most, per_source=per_source)
        live: list[tuple[str | None, str | None]] = []
        for which, comes in events:
            source = self.sources[which]
            if not comes:
                for one in live:
                    if one[1] == source_key(source):
                        here.release(one[0])
                        live.remove(one)
                        break
                continue
            count = Counter(known for _, known in live)[source_key(source)]
            room = most is None or len(live) < most
            may = per_source is None or source_key(source) is None
            key = here.key(source)
            let_in = here.admit(key, 0.0) is None
            self.assertEqual(let_in, room and (may or count < (per_source or 0)))
            if let_in:
                live.append((key, source_key(source)))
            self.assertEqual((here.live, here.whole.live), (len(live), len(live)))
        for key, _ in live:
            here.release(key)
        self.assertEqual((here.live, here.whole.live), (0, 0))
