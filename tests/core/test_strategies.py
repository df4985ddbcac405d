"""Tests for L{portmux.core.strategies}."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.backend import Backend
from portmux.core.strategies import BOUND, FEW, Strategy, chooser, spelled

SOURCES = [f"192.0.2.{last}" for last in range(250)]


def backends(*weights: int) -> list[Backend]:
    return [
        Backend(Host(f"10.0.0.{at + 1}", 80), weight)
        for at, weight in enumerate(weights)
    ]


def chosen(
    strategy: Strategy,
    given: Sequence[Backend],
    count: int,
    *,
    held: bool = False,
    now: float = 0.0,
    source: str | None = None,
) -> list[int]:
    """
    @param held: sessions stay; else each ends before the next one comes.
    @return: which backends get so many sessions.
    """
    choose = chooser(strategy, Random(1))
    found = []
    for turn in range(count):
        backend = choose(given, source, now)
        backend.given += 1
        backend.turn = turn + 1
        backend.active += held
        found.append(given.index(backend))
    return found


class SpellingTests(SynchronousTestCase):
    def test_names(self) -> None:
        for strategy in Strategy:
            self.assertIs(spelled(strategy.value), strategy)

    def test_aliases(self) -> None:
        """Those of plexy, in any case, with either kind of line."""
        for text in (
            "minimum-open-connections",
            "minimum_open_connections",
            "minimumopenconnections",
            "min-open-connections",
            "min_open_connections",
            "MinOpenConnections",
        ):
            self.assertIs(spelled(text), Strategy.LEAST_CONNECTIONS)
        for text in ("roundrobin", "Round_Robin", "ROUND-ROBIN"):
            self.assertIs(spelled(text), Strategy.ROUND_ROBIN)

    def test_unknown(self) -> None:
        self.assertIsNone(spelled("fastest"))


class ChoiceTests(SynchronousTestCase):
    def test_first_available(self) -> None:
        found = chosen(Strategy.FIRST_AVAILABLE, backends(1, 9), 5, held=True)
        self.assertEqual(found, [0] * 5)

    def test_round_robin(self) -> None:
        """In order, the first one first."""
        found = chosen(Strategy.ROUND_ROBIN, backends(1, 1, 1), 6)
        self.assertEqual(found, [0, 1, 2, 0, 1, 2])

    def test_round_robin_by_weight(self) -> None:
        """Smoothly: the heavy one does not get its turns in a row."""
        found = chosen(Strategy.ROUND_ROBIN, backends(3, 1), 8)
        self.assertEqual(found, [0, 0, 1, 0, 0, 0, 1, 0])

    @given(st.lists(st.integers(1, 9), min_size=2, max_size=6))
    def test_round_robin_is_exact(self, weights: list[int]) -> None:
        """As many sessions as all weights together are divided as they say."""
        found = Counter(chosen(Strategy.ROUND_ROBIN, backends(*weights), sum(weights)))
        self.assertEqual([found[at] for at in range(len(weights))], weights)

    def test_round_robin_slow_start(self) -> None:
        """Who has just come back gets a tenth of its turns, then more."""
        both = backends(1, 1)
        both[1].warm_up(100.0, 0.0)
        self.assertEqual(chosen(Strategy.ROUND_ROBIN, both, 110).count(1), 10)
        half = chosen(Strategy.ROUND_ROBIN, both, 90, now=50.0).count(1)
        self.assertEqual(half, 30)
        self.assertEqual(chosen(Strategy.ROUND_ROBIN, both, 90, now=100.0).count(1), 45)

    def test_random(self) -> None:
        """By weight, about."""
        found = Counter(chosen(Strategy.RANDOM, backends(1, 3), 4000))
        self.assertTrue(900 < found[0] < 1100, found)

    def test_power_of_two(self) -> None:
        """Never the one that has more, of two; nearly even among many."""
        two = backends(1, 1)
        two[0].active = 1
        self.assertEqual(chosen(Strategy.POWER_OF_TWO, two, 20), [1] * 20)
        many = backends(*[1] * 10)
        chosen(Strategy.POWER_OF_TWO, many, 1000, held=True)
        spread = max(each.active for each in many) - min(each.active for each in many)
        self.assertLess(spread, 8)

    def test_least_connections(self) -> None:
        """For its weight; of equals, who waited longest."""
        three = backends(1, 1, 1)
        self.assertEqual(chosen(Strategy.LEAST_CONNECTIONS, three, 4), [0, 1, 2, 0])
        three[0].active = three[1].active = 1
        self.assertEqual(chosen(Strategy.LEAST_CONNECTIONS, three, 2), [2, 2])
        heavy = backends(2, 1)
        chosen(Strategy.LEAST_CONNECTIONS, heavy, 30, held=True)
        self.assertEqual([each.active for each in heavy], [20, 10])

    def test_least_requests(self) -> None:
        """It counts what was given, not what is still there."""
        found = Counter(chosen(Strategy.LEAST_REQUESTS, backends(1, 2), 30))
        self.assertEqual((found[0], found[1]), (10, 20))
        uneven = backends(1, 1)
        uneven[0].active, uneven[1].given = 9, 3
        self.assertEqual(chosen(Strategy.LEAST_REQUESTS, uneven, 3), [0, 0, 0])


class SourceHashTests(SynchronousTestCase):
    def where(self, given: Sequence[Backend]) -> list[Backend]:
        """@return: whose each of the sources is."""
        choose = chooser(Strategy.SOURCE_HASH, Random(1))
        return [choose(given, source, 0.0) for source in SOURCES]

    def test_a_source_stays(self) -> None:
        """Whatever others do, and in whatever order the backends stand."""
        four = backends(1, 1, 1, 1)
        first = self.where(four)
        self.assertEqual(self.where(four), first)
        self.assertEqual(self.where(four[::-1]), first)
        self.assertEqual(set(first), set(four))

    def test_one_goes(self) -> None:
        """Only its sources move."""
        four = backends(1, 1, 1, 1)
        before, after = self.where(four), self.where(four[1:])
        for one, other in zip(before, after, strict=True):
            if one is not four[0]:
                self.assertIs(other, one)

    def test_weights(self) -> None:
        light, heavy = backends(1, 4)
        found = Counter(id(each) for each in self.where([light, heavy]))
        self.assertTrue(30 < found[id(light)] < 70, found)

    def test_bounded_load(self) -> None:
        """One source may send everything: no backend has more than its bound."""
        four = backends(1, 1, 1, 1)
        count = 100
        found = chosen(Strategy.SOURCE_HASH, four, count, held=True, source="192.0.2.7")
        most = max(each.active for each in four)
        self.assertLessEqual(most, BOUND * (count + 1) / 4 + 1)
        self.assertGreater(most, count / 4)
        self.assertEqual(Counter(found).most_common(1)[0][1], most)

    def test_few(self) -> None:
        """What one client opens stays together, though nobody else is there."""
        found = chosen(
            Strategy.SOURCE_HASH,
            backends(1, 1, 1, 1),
            FEW + 1,
            held=True,
            source="192.0.2.7",
        )
        self.assertEqual(Counter(found).most_common(1)[0][1], FEW)

    def test_no_source(self) -> None:
        """A client on a unix socket goes to who has least."""
        two = backends(1, 1)
        two[0].active = 3
        self.assertEqual(chosen(Strategy.SOURCE_HASH, two, 3), [1, 1, 1])

    @given(
        st.lists(
            st.tuples(st.integers(1, 9), st.integers(0, 50)), min_size=2, max_size=6
        ),
        st.sampled_from(Strategy),
        st.sampled_from([None, *SOURCES]),
    )
    def test_there_is_always_one(
        self, loads: list[tuple[int, int]], strategy: Strategy, source: str | None
    ) -> None:
        """However the sessions are spread, every strategy finds a backend."""
        given = backends(*(weight for weight, _ in loads))
        for backend, (_, active) in zip(given, loads, strict=True):
            backend.active = active
        self.assertIn(chooser(strategy, Random(1))(given, source, 0.0), given)
