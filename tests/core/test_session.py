"""Tests for L{portmux.core.session}."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Address, Host, Unix
from portmux.core.backend import Backend
from portmux.core.effects import (
    CLOSE,
    FINISH,
    RELAY,
    RESET,
    WAIT,
    Adopt,
    Dial,
    Effect,
    Phase,
    Queued,
    Side,
)
from portmux.core.limits import Ban, Count, Gate, Limits
from portmux.core.match.always import Always
from portmux.core.match.prefix import Prefix
from portmux.core.match.tls import Tls
from portmux.core.pattern import Pattern
from portmux.core.plan import Closing, Forwarding, Plan, Serving
from portmux.core.policy import Policy
from portmux.core.pool import Pool, Settings
from portmux.core.record import Record
from portmux.core.session import HAD_ENDED, LINGER, Session
from portmux.core.sniff import Route, Table, Way
from portmux.core.waiting import Queue
from portmux.testing import LOCAL, SOURCE
from tests.core.memory import octets_kept
from tests.openings import OPENINGS

START = 1_750_000_000.0
"""When sessions of these tests are accepted."""

A, B, C = (Host(f"10.0.0.{last}", 80) for last in (1, 2, 3))


async def unused(client: Any) -> None:
    """What a session adopts is the engine's to run."""


def forwarding(
    *addresses: Address, attempts: int | None = None, timeout: float = 10.0
) -> Plan:
    return Forwarding(Pool.of(addresses or (A, B, C)), timeout, attempts)


ECHO = Serving("echo", unused)


def route(name: str, start: bytes, plan: Plan, most: int | None = None) -> Route:
    return Route(Prefix((start,)), Way(name, plan, Count(most)))


def routes() -> list[Route]:
    """@return: one for each kind of plan, told apart by the first octet."""
    return [
        route("web", b"web", forwarding()),
        route("echo", b"echo", ECHO),
        route("none", b"none", Closing()),
        route("gone", b"gone", Closing(reset=True)),
    ]


def policy(
    *given: Route,
    limits: Limits | None = None,
    whole: Count | None = None,
    timeout: float | None = 3.0,
    silence: float | None = None,
    idle: float | None = None,
    half_close: float | None = None,
    **ways: Plan,
) -> Policy:
    others = {name: Way(name, plan) for name, plan in ways.items()}
    table = Table(
        given or routes(),
        others.get("fallback", Way("close", Closing(), chosen=False)),
        others.get("silent"),
        others.get("undecided"),
    )
    gate = Gate(limits or Limits(), whole or Count())
    return Policy("front", table, gate, timeout, silence, idle, half_close)


def opened(policy: Policy, source: Address = SOURCE, now: float = START) -> Session:
    session = Session(policy, source, LOCAL, now)
    session.open()
    return session


def relaying(policy: Policy) -> Session:
    session = opened(policy)
    session.receive(b"web", START)
    session.connected(START)
    return session


def serving(policy: Policy) -> Session:
    session = opened(policy)
    session.receive(b"echo", START)
    return session


def counts(policy: Policy) -> list[int]:
    """@return: all that sessions count while they live."""
    pools = [
        way.plan.pool for way in policy.table.ways() if isinstance(way.plan, Forwarding)
    ]
    return [
        policy.gate.live,
        policy.gate.whole.live,
        sum(way.count.live for way in policy.table.ways()),
        sum(backend.active for pool in pools for backend in pool.backends),
    ]


class SniffTests(SynchronousTestCase):
    """From accept to the decision."""

    def test_waits_for_bytes(self) -> None:
        """An open session wants bytes, or to be asked when its time is over."""
        session = Session(policy(timeout=3.0), SOURCE, LOCAL, START)
        self.assertEqual(session.open(), WAIT)
        self.assertEqual((session.phase, session.deadline), (Phase.SNIFF, START + 3.0))
        self.assertEqual(session.route, "-")

    def test_decided_by_its_first_segment(self) -> None:
        """The bytes are held for whoever gets the connection."""
        session = opened(policy())
        self.assertEqual(session.receive(b"web page", START), Dial(A))
        self.assertEqual((session.held, session.route), (b"web page", "web"))

    def test_decided_by_several(self) -> None:
        """All of them are held, once and in order."""
        session = opened(policy())
        self.assertEqual(session.receive(b"w", START), WAIT)
        self.assertEqual(session.receive(b"e", START), WAIT)
        self.assertEqual(session.held, b"")  # they are the sniffer's until then
        self.assertEqual(session.receive(b"b and more", START), Dial(A))
        self.assertEqual(session.held, b"web and more")

    def test_decided_without_bytes(self) -> None:
        """What needs none is carried out at accept."""
        here = policy(Route(Always(), Way("all", forwarding(B))))
        session = Session(here, SOURCE, LOCAL, START)
        self.assertEqual(session.open(), Dial(B))
        self.assertEqual((session.held, session.route), (b"", "all"))

    def test_every_kind_of_plan(self) -> None:
        """Each is one effect; what is not connected gets no deadline of its own."""
        for data, effect, phase in (
            (b"web", Dial(A), Phase.DIAL),
            (b"echo", Adopt(ECHO), Phase.SERVE),
            (b"none", CLOSE, Phase.CLOSE),
            (b"gone", RESET, Phase.CLOSE),
            (b"xxxx", CLOSE, Phase.CLOSE),
        ):
            session = opened(policy())
            self.assertEqual(session.receive(data, START), effect)
            self.assertEqual(session.phase, phase)
            if phase is not Phase.DIAL:
                self.assertIsNone(session.deadline)

    def test_a_chosen_close_is_told_from_no_route(self) -> None:
        """Somebody wanted the one; the other is what nothing fits."""
        ends = []
        for data in (b"none", b"gone", b"xxxx"):
            session = opened(policy())
            session.receive(data, START)
            ends.append(session.closed(START).end)
        session = opened(policy(fallback=Closing()))
        session.receive(b"xxxx", START)
        ends.append(session.closed(START).end)
        self.assertEqual(ends, ["closed", "closed", "no-route", "closed"])

    def test_end_of_input_before_a_byte(self) -> None:
        """No backend is contacted; there is a record."""
        session = opened(policy(fallback=forwarding()))
        self.assertEqual(session.finished(Side.CLIENT, START + 1), CLOSE)
        record = session.closed(START + 1)
        self.assertEqual(
            (record.cause, record.route, record.backend, record.attempts),
            ("eof", "close", "close", 0),
        )

    def test_end_of_input_after_bytes(self) -> None:
        """MORE counts as NO; the half-close is known when the effect is given."""
        session = opened(policy(fallback=forwarding()))
        session.receive(b"we", START)
        self.assertEqual(session.finished(Side.CLIENT, START), Dial(A))
        self.assertEqual((session.held, session.half_closed), (b"we", Side.CLIENT))

    def test_a_client_that_resets(self) -> None:
        """It has its record, although nothing was decided."""
        session = opened(policy())
        session.receive(b"we", START)
        self.assertEqual(session.lost(Side.CLIENT, START + 1), RESET)
        record = session.closed(START + 1)
        self.assertEqual(
            (record.end, record.cause, record.route, record.backend, record.seconds),
            ("client-lost", "-", "-", "-", 1.0),
        )


class PatienceTests(SynchronousTestCase):
    """C{sniff.timeout} and C{sniff.silent}."""

    def test_silence(self) -> None:
        """Nobody has spoken within C{silent}: the server speaks first."""
        session = opened(policy(timeout=3.0, silence=0.5, silent=ECHO))
        self.assertEqual(session.deadline, START + 0.5)
        self.assertEqual(session.expire(START + 0.4), WAIT)
        self.assertEqual(session.expire(START + 0.5), Adopt(ECHO))
        record = session.closed(START + 1)
        self.assertEqual((record.cause, record.route), ("silent", "silent"))

    def test_a_byte_ends_silence(self) -> None:
        """From then on the timeout counts, from accept and not from the byte."""
        session = opened(policy(timeout=3.0, silence=0.5))
        session.receive(b"w", START + 0.4)
        self.assertEqual(session.deadline, START + 3.0)
        session.receive(b"e", START + 2.9)
        self.assertEqual(session.deadline, START + 3.0)
        self.assertEqual(session.expire(START + 3.0), CLOSE)
        self.assertEqual(session.closed(START + 3).cause, "timeout")

    def test_silence_is_the_timeout_unless_said(self) -> None:
        session = opened(policy(timeout=3.0))
        self.assertEqual(session.expire(START + 3.0), CLOSE)
        self.assertEqual(session.closed(START + 3).cause, "silent")

    def test_no_timeout(self) -> None:
        """Then there is all the time of the world, also after silence."""
        self.assertIsNone(opened(policy(timeout=None)).deadline)
        session = opened(policy(timeout=None, silence=1.0))
        self.assertEqual(session.deadline, START + 1.0)
        session.receive(b"w", START)
        self.assertIsNone(session.deadline)
        self.assertEqual(session.expire(START + 1e9), WAIT)

    def test_undecided(self) -> None:
        """Bytes, but no decision in time: what came is held for that action."""
        session = opened(policy(undecided=forwarding(C)))
        session.receive(b"we", START + 1)
        self.assertEqual(session.expire(START + 3), Dial(C))
        self.assertEqual(session.held, b"we")
        record = session.closed(START + 3.5)
        self.assertEqual((record.cause, record.route), ("timeout", "undecided"))
        self.assertEqual((record.sniffed, record.seconds), (3.0, 3.5))

    def test_nothing_expires_after_the_decision(self) -> None:
        """The time to sniff does not end what was decided."""
        session = relaying(policy())
        self.assertIsNone(session.deadline)
        self.assertEqual(session.expire(START + 1e6), WAIT)


class DialTests(SynchronousTestCase):
    """One backend after the other, before any byte is relayed."""

    def dialling(self, plan: Plan) -> Session:
        session = opened(policy(route("web", b"web", plan)))
        session.receive(b"web", START)
        return session

    def test_the_first_that_connects(self) -> None:
        """It is the record's, with the number of attempts that it took."""
        session = self.dialling(forwarding(A, B))
        self.assertEqual(session.connect_failed("connection refused", START), Dial(B))
        self.assertEqual(session.connected(START + 1), RELAY)
        session.end("done")
        record = session.closed(START + 2)
        self.assertEqual((record.backend, record.attempts), (str(B), 2))
        self.assertEqual((record.end, record.detail), ("done", ""))

    def test_none_connects(self) -> None:
        """Then the client is closed, and all that was tried can be read."""
        session = self.dialling(forwarding(A, B))
        session.connect_failed("connection refused", START)
        self.assertEqual(session.connect_failed("no route to host", START), CLOSE)
        record = session.closed(START)
        self.assertEqual((record.end, record.attempts), ("connect-failed", 2))
        self.assertEqual(record.backend, str(B))
        self.assertEqual(
            record.detail, f"{A}: connection refused; {B}: no route to host"
        )

    def test_attempts(self) -> None:
        """No more than are allowed; on one backend again once all were tried."""
        session = self.dialling(forwarding(A, B, C, attempts=2))
        self.assertEqual(session.connect_failed("x", START), Dial(B))
        self.assertEqual(session.connect_failed("x", START), CLOSE)
        session = self.dialling(forwarding(A, B, attempts=4))
        for address in (B, A, B):
            self.assertEqual(session.connect_failed("x", START), Dial(address))
        self.assertEqual(session.connect_failed("x", START), CLOSE)
        self.assertEqual(session.closed(START).attempts, 4)

    def test_never_another_route(self) -> None:
        """A route that matched is the connection's, whatever becomes of it."""
        here = policy(
            route("one", b"web", forwarding(A)),
            route("two", b"web", forwarding(B)),
            fallback=forwarding(C),
        )
        session = opened(here)
        session.receive(b"web", START)
        self.assertEqual(session.connect_failed("x", START), CLOSE)

    def test_the_timeout_is_of_one_attempt(self) -> None:
        """Each has its own; one that is over counts as failed."""
        session = self.dialling(forwarding(A, B, timeout=5.0))
        self.assertEqual(session.deadline, START + 5)
        self.assertEqual(session.expire(START + 4.9), WAIT)
        self.assertEqual(session.expire(START + 6), Dial(B))
        self.assertEqual(session.deadline, START + 11)
        self.assertEqual(session.expire(START + 11), CLOSE)
        detail = session.closed(START + 11).detail
        self.assertEqual(detail, f"{A}: connect timeout; {B}: connect timeout")

    def test_an_empty_pool(self) -> None:
        """It is no attempt that has failed, and told so."""
        nothing = Forwarding(Pool.of((), name="web"))
        session = opened(policy(route("w", b"w", nothing)))
        self.assertEqual(session.receive(b"w", START), CLOSE)
        record = session.closed(START)
        self.assertEqual((record.end, record.attempts), ("no-backend", 0))
        self.assertEqual(record.detail, "pool web: no backend is up")

    def test_a_queue(self) -> None:
        """Where no backend has room the session waits, and the record says how long."""
        pool = Pool.of([Backend(A, most=1)], Settings(queue=Queue(1, 5.0)), "web")
        first = self.dialling(Forwarding(pool))
        first.connected(START)
        session = opened(policy(route("web", b"web", Forwarding(pool))))
        effect = session.receive(b"web", START)
        assert isinstance(effect, Queued)
        self.assertEqual((session.phase, session.deadline), (Phase.QUEUE, START + 5))
        self.assertEqual(session.turn(START), WAIT)
        self.assertEqual(session.finished(Side.CLIENT, START), WAIT)
        first.end("stopped")
        first.closed(START + 2)
        self.assertEqual(session.turn(START + 2), Dial(A))
        self.assertEqual(session.turn(START + 2), WAIT)
        session.connected(START + 2)
        self.assertIs(session.half_closed, Side.CLIENT)
        session.finished(Side.BACKEND, START + 3)
        record = session.closed(START + 3)
        self.assertEqual((record.queued, record.attempts, record.end), (2.0, 1, "done"))

    def test_a_queue_that_does_not_move(self) -> None:
        """It is left in the end, and by who has gone."""
        pool = Pool.of([Backend(A, most=1)], Settings(queue=Queue(1, 5.0)), "web")
        plan = Forwarding(pool)
        self.dialling(plan)
        waiting = opened(policy(route("web", b"web", plan)))
        waiting.receive(b"web", START)
        refused = opened(policy(route("web", b"web", plan)))
        self.assertEqual(refused.receive(b"web", START), CLOSE)
        self.assertEqual(refused.closed(START).end, "queue-full")
        self.assertEqual(waiting.expire(START + 4), WAIT)
        self.assertEqual(waiting.expire(START + 5), CLOSE)
        record = waiting.closed(START + 5)
        self.assertEqual((record.end, record.queued), ("queue-timeout", 5.0))
        gone = opened(policy(route("web", b"web", plan)))
        gone.receive(b"web", START)
        self.assertEqual(gone.lost(Side.CLIENT, START + 1), RESET)
        self.assertEqual(gone.closed(START + 1).queued, 1.0)
        self.assertEqual((len(pool.waiting), pool.backends[0].active), (0, 1))

    def test_what_a_backend_has_had(self) -> None:
        """Sessions and octets are added to its totals, exactly."""
        plan = Forwarding(Pool.of([A]))
        session = self.dialling(plan)
        session.connected(START)
        session.sent, session.received = 1000, 500
        session.end("done")
        session.closed(START)
        totals = plan.pool.backends[0].totals
        self.assertEqual(
            (totals.sessions, totals.sent, totals.received), (1, 1000, 500)
        )

    def test_the_backend_is_held(self) -> None:
        """From the attempt on, and until it failed or all is over."""
        plan = Forwarding(Pool.of((A, B)), timeout=1.0, attempts=2)
        session = self.dialling(plan)
        one, other = plan.pool.backends
        self.assertEqual((one.active, other.active), (1, 0))
        session.connect_failed("x", START)
        self.assertEqual((one.active, other.active), (0, 1))
        session.connected(START)
        session.finished(Side.CLIENT, START)
        session.finished(Side.BACKEND, START)
        self.assertEqual((one.active, other.active), (0, 1))
        session.closed(START)
        self.assertEqual((one.active, other.active), (0, 0))

    def test_a_client_that_leaves(self) -> None:
        """The attempt is given up."""
        session = self.dialling(forwarding(A))
        self.assertEqual(session.lost(Side.CLIENT, START), RESET)
        record = session.closed(START)
        self.assertEqual((record.end, record.backend), ("client-lost", str(A)))

    def test_a_client_that_has_said_all(self) -> None:
        """It still waits for the answer."""
        session = self.dialling(forwarding(A))
        self.assertEqual(session.finished(Side.CLIENT, START), WAIT)
        self.assertEqual(session.connected(START), RELAY)
        self.assertEqual(session.half_closed, Side.CLIENT)
        self.assertEqual(session.finished(Side.BACKEND, START), CLOSE)


class HalfCloseTests(SynchronousTestCase):
    """An end of one direction is forwarded; both ends are the end."""

    def test_each_way(self) -> None:
        """Whichever side begins."""
        for first, other in (
            (Side.CLIENT, Side.BACKEND),
            (Side.BACKEND, Side.CLIENT),
        ):
            session = relaying(policy())
            self.assertEqual(session.finished(first, START), FINISH[other])
            self.assertEqual(session.half_closed, first)
            self.assertEqual(session.phase, Phase.RELAY)
            self.assertEqual(session.finished(other, START), CLOSE)
            self.assertEqual(session.closed(START).end, "done")

    def test_told_again(self) -> None:
        """A transport may say it more than once."""
        session = relaying(policy())
        session.finished(Side.CLIENT, START)
        for _ in range(3):
            self.assertEqual(session.finished(Side.CLIENT, START), WAIT)
        self.assertEqual(session.phase, Phase.RELAY)

    def test_served(self) -> None:
        """An action sees both ends itself; its coroutine's end is the session's."""
        session = serving(policy())
        self.assertEqual(session.finished(Side.CLIENT, START), WAIT)
        self.assertEqual(session.finished(Side.BACKEND, START), WAIT)
        self.assertEqual(session.phase, Phase.SERVE)
        self.assertEqual(session.served(), CLOSE)
        record = session.closed(START)
        self.assertEqual((record.end, record.backend), ("done", "echo"))

    def test_how_it_was_served(self) -> None:
        session = serving(policy())
        session.served("error", "see the log")
        record = session.closed(START)
        self.assertEqual((record.end, record.detail), ("error", "see the log"))

    def test_lost(self) -> None:
        """A side that is gone takes the other one with it."""
        for side, how in (
            (Side.CLIENT, "client-lost"),
            (Side.BACKEND, "backend-lost"),
        ):
            session = relaying(policy())
            self.assertEqual(session.lost(side, START), RESET)
            self.assertEqual(session.lost(side, START), WAIT)
            self.assertEqual(session.closed(START).end, how)

    def test_lost_behind_its_end(self) -> None:
        """A backend that had ended takes nothing: it is not as if it had said all."""
        session = relaying(policy())
        session.finished(Side.BACKEND, START)
        self.assertEqual(session.lost(Side.BACKEND, START), RESET)
        record = session.closed(START)
        self.assertEqual((record.end, record.detail), ("backend-lost", HAD_ENDED))

    def test_refused(self) -> None:
        """The same, noticed at the end of the client's own."""
        session = relaying(policy())
        session.finished(Side.BACKEND, START)
        self.assertEqual(session.refused(), CLOSE)
        self.assertEqual(session.refused(), WAIT)
        record = session.closed(START)
        self.assertEqual((record.end, record.detail), ("backend-lost", HAD_ENDED))


class IdleTests(SynchronousTestCase):
    """Time without a byte."""

    def test_idle(self) -> None:
        """Bytes give more time; the session says so when it is asked."""
        for session in (
            relaying(policy(idle=30.0)),
            serving(policy(idle=30.0)),
        ):
            self.assertEqual(session.deadline, START + 30)
            session.touched = START + 20
            self.assertEqual(session.expire(START + 30), WAIT)
            self.assertEqual(session.deadline, START + 50)
            self.assertEqual(session.expire(START + 50), CLOSE)
            self.assertEqual(session.closed(START + 50).end, "idle-timeout")

    def test_half_close(self) -> None:
        """It begins with the end of one direction, and is put off by bytes."""
        for session in (
            relaying(policy(half_close=60.0)),
            serving(policy(half_close=60.0)),
        ):
            self.assertIsNone(session.deadline)
            session.finished(Side.CLIENT, START + 10)
            self.assertEqual(session.deadline, START + 70)
            session.touched = START + 65
            self.assertEqual(session.expire(START + 70), WAIT)
            self.assertEqual(session.deadline, START + 125)
            self.assertEqual(session.expire(START + 125), CLOSE)
            self.assertEqual(session.closed(START + 125).end, "half-close-timeout")

    def test_half_closed_before_the_relay(self) -> None:
        """A client that ended while connecting is waited for no longer than others."""
        session = opened(policy(half_close=60.0))
        session.receive(b"web", START)
        session.finished(Side.CLIENT, START)
        self.assertEqual(session.deadline, START + 10)
        session.connected(START + 5)
        self.assertEqual(session.deadline, START + 65)

    def test_the_shorter_one(self) -> None:
        """It ends the session, and its name is told."""
        for idle, half_close, how in (
            (30.0, 60.0, "idle-timeout"),
            (60.0, 30.0, "half-close-timeout"),
            (30.0, None, "idle-timeout"),
            (None, 30.0, "half-close-timeout"),
        ):
            session = relaying(policy(idle=idle, half_close=half_close))
            session.finished(Side.BACKEND, START)
            self.assertEqual(session.deadline, START + 30)
            self.assertEqual(session.expire(START + 30), CLOSE)
            self.assertEqual(session.closed(START + 30).end, how)

    def test_none(self) -> None:
        """Without either, silence is no reason to end."""
        session = relaying(policy())
        session.finished(Side.CLIENT, START)
        self.assertIsNone(session.deadline)
        self.assertEqual(session.expire(START + 1e9), WAIT)


class LingerTests(SynchronousTestCase):
    """The last bytes have some time to arrive."""

    def test_then_reset(self) -> None:
        """A peer that does not take them is not waited for without end."""
        session = relaying(policy(idle=1000.0))
        session.end("done")
        session.closing(START + 5)
        self.assertEqual(session.deadline, START + 5 + LINGER)
        self.assertEqual(session.expire(START + 14.9), WAIT)
        self.assertEqual(session.expire(START + 15), RESET)
        self.assertIsNone(session.deadline)
        self.assertEqual(session.expire(START + 16), WAIT)

    def test_only_when_it_ends(self) -> None:
        session = relaying(policy())
        session.closing(START)
        self.assertIsNone(session.deadline)


class LimitTests(SynchronousTestCase):
    """Refused connections are closed, recorded, and counted nowhere."""

    def refusal(self, here: Policy, source: Address = SOURCE) -> Record:
        before = counts(here)
        session = Session(here, source, LOCAL, START)
        self.assertEqual(session.open(), CLOSE)
        self.assertEqual(session.phase, Phase.CLOSE)
        self.assertEqual(counts(here), before)
        record = session.closed(START)
        self.assertEqual(counts(here), before)
        self.assertEqual((record.cause, record.route), ("refused", "-"))
        return record

    def test_each_limit(self) -> None:
        """Its name is how the session ended."""
        whole = Count(1)
        for here, how in (
            (policy(limits=Limits(connections=1)), "limit-connections"),
            (policy(limits=Limits(per_source=1)), "limit-per-source"),
            (policy(limits=Limits(rate=1.0)), "limit-rate"),
            (policy(whole=whole), "limit-connections-in-all"),
        ):
            session = opened(here)
            self.assertEqual(self.refusal(here).end, how)
            session.end("done")
            session.closed(START)
            self.assertEqual(counts(here), [0, 0, 0, 0])

    def test_of_a_route(self) -> None:
        """One that has all it may have sends nobody to the next."""
        here = policy(
            route("few", b"web", forwarding(), most=1),
            route("all", b"w", forwarding()),
        )
        session = relaying(here)
        other = opened(here)
        self.assertEqual(other.receive(b"web", START), CLOSE)
        record = other.closed(START)
        self.assertEqual(
            (record.cause, record.end, record.detail),
            ("refused", "limit-route-connections", "route few"),
        )
        session.lost(Side.CLIENT, START)
        session.closed(START)
        self.assertEqual(opened(here).receive(b"web", START), Dial(A))

    def test_recount(self) -> None:
        """What has ended without anybody's knowing is in nobody's way."""
        few = policy(route("few", b"web", forwarding(), most=1))
        one = policy(limits=Limits(connections=1))
        for here in (few, one):
            session = relaying(here)

            def recount(session: Session = session) -> bool:
                session.end("done")
                session.closed(START)
                return True

            here.gate.whole.recount = recount
            other = opened(here)
            self.assertEqual(other.receive(b"web", START), Dial(A))

    def test_a_place_is_free_when_all_is_over(self) -> None:
        """Not before: a session that closes still has its sockets."""
        here = policy(limits=Limits(connections=1))
        session = opened(here)
        session.lost(Side.CLIENT, START)
        self.refusal(here)
        session.closed(START)
        self.assertEqual(opened(here).phase, Phase.SNIFF)


class BanTests(SynchronousTestCase):
    """Sources whose sniffs keep failing."""

    ban = Limits(ban=Ban(failures=2, within=60.0, duration=600.0))

    def noise(self, here: Policy, source: Address = SOURCE) -> Record:
        session = opened(here, source)
        session.receive(b"\0\0\0\0", START)
        return session.closed(START)

    def banned(self, here: Policy, source: Address = SOURCE) -> bool:
        session = opened(here, source)
        session.lost(Side.CLIENT, START)
        return session.closed(START).end == "limit-ban"

    def test_off(self) -> None:
        """It is off unless somebody wants it."""
        here = policy()
        for _ in range(100):
            self.noise(here)
        self.assertFalse(self.banned(here))

    def test_on(self) -> None:
        """The one that brings it about says so."""
        here = policy(limits=self.ban)
        self.assertEqual(self.noise(here).detail, "")
        self.assertEqual(self.noise(here).detail, "source is banned now")
        self.assertTrue(self.banned(here))
        self.assertFalse(self.banned(here, Host("203.0.113.5", 1)))
        later = opened(here, now=START + 601)
        self.assertEqual(later.phase, Phase.SNIFF)

    def test_what_counts(self) -> None:
        """Bytes and silence that no route wants, unless it is known what they mean."""
        wanted = policy(limits=self.ban, silent=ECHO, undecided=ECHO)
        unwanted = policy(limits=self.ban, fallback=ECHO)
        for here, ban in ((wanted, False), (unwanted, True)):
            for _ in range(2):
                session = opened(here)
                session.expire(START + 3)
                session.closed(START + 3)
            self.assertEqual(self.banned(here), ban)

    def test_what_does_not(self) -> None:
        """A probe of the port, a client of a route, a client that was refused."""
        limits = attrs.evolve(self.ban, connections=1)
        elsewhere = policy(limits=self.ban, fallback=forwarding(A))
        for _ in range(3):
            self.noise(elsewhere)
        self.assertFalse(self.banned(elsewhere))  # a service like others
        here = policy(limits=limits)
        for _ in range(3):
            probe = opened(here)
            probe.finished(Side.CLIENT, START)
            probe.closed(START)
            client = serving(here)
            for _ in range(3):
                refused = opened(here)
                self.assertEqual(refused.closed(START).end, "limit-connections")
            client.served()
            client.closed(START)
        self.assertFalse(self.banned(here))

    def test_a_refused_source_is_not_banned_for_longer(self) -> None:
        """Trying again during the ban does not prolong it."""
        here = policy(limits=self.ban)
        self.noise(here)
        self.noise(here)
        for _ in range(9):
            self.assertTrue(self.banned(here))
        self.assertEqual(opened(here, now=START + 600).phase, Phase.SNIFF)
        self.assertEqual(here.gate.bans, 1)


class RecordTests(SynchronousTestCase):
    """What is written of a session at its end."""

    def test_whole(self) -> None:
        here = policy(
            Route(Tls(sni=(Pattern("x"), Pattern("*.org"))), Way("git", forwarding(A))),
            timeout=None,
        )
        session = opened(here, Host("2001:db8::1", 5))
        hello = OPENINGS["tls13-openssl"]
        session.receive(hello[:50], START + 1)
        session.receive(hello[50:], START + 2)
        session.connected(START + 2)
        session.sent, session.received = 700, 8000
        session.finished(Side.CLIENT, START + 3)
        session.finished(Side.BACKEND, START + 4)
        record = session.closed(START + 5)
        facts = dict(record.facts)
        self.assertEqual(set(facts), {"sni", "alpn", "version"})
        self.assertEqual(
            attrs.evolve(record, facts=()),
            Record(
                time=START,
                number=session.number,
                listener="front",
                route="git",
                pattern=1,
                cause="match",
                client=Host("2001:db8::1", 5),
                local=LOCAL,
                backend=str(A),
                attempts=1,
                sent=700,
                received=8000,
                sniffed=2.0,
                seconds=5.0,
                end="done",
            ),
        )

    def test_facts_of_those_that_nothing_fits(self) -> None:
        """Who looks why a client was closed sees what it asked for."""
        here = policy(Route(Tls(sni=(Pattern("x"),)), Way("git", forwarding())))
        session = opened(here)
        session.receive(OPENINGS["tls13-openssl"], START)
        self.assertIn("sni", dict(session.closed(START).facts))

    def test_hint(self) -> None:
        """Where bytes came that no route fits, it says how to ask why."""
        here = policy(undecided=Closing())
        ended = [opened(here) for _ in range(4)]
        unfit, late, silent, fit = ended
        unfit.receive(b"x" * 80, START)
        late.receive(b"we", START)
        late.expire(START + 9)
        silent.expire(START + 9)
        fit.receive(b"web", START)
        hints = [session.closed(START + 9).hint for session in ended]
        self.assertEqual(
            hints[0],
            f"explain with: portmux explain --listener front --hex {'78' * 64}"
            " # first 64 of 80 octets",
        )
        self.assertTrue(hints[1].endswith(" --hex 7765"))
        self.assertEqual(hints[2:], ["", ""])

    def test_numbers(self) -> None:
        """No two sessions of a process have the same."""
        here = policy()
        numbers = [opened(here).number for _ in range(10)]
        self.assertEqual(len(set(numbers)), 10)
        self.assertEqual(sorted(numbers), numbers)

    def test_the_first_end_counts(self) -> None:
        """What follows from it is not its cause."""
        session = relaying(policy())
        session.end("stopped", "by the operator")
        session.lost(Side.BACKEND, START)
        session.served("error")
        session.end("drained")
        record = session.closed(START)
        self.assertEqual((record.end, record.detail), ("stopped", "by the operator"))


def _sniffing(here: Policy) -> Session:
    session = opened(here)
    session.receive(b"e", START)
    return session


def _dialling(here: Policy) -> Session:
    session = opened(here)
    session.receive(b"web", START)
    return session


def _closing(here: Policy) -> Session:
    session = relaying(here)
    session.end("done")
    session.closing(START)
    return session


STATES: dict[str, Callable[[Policy], Session]] = {
    "opened": opened,
    "sniffing": _sniffing,
    "dialling": _dialling,
    "relaying": relaying,
    "serving": serving,
    "closing": _closing,
}

EVENTS: dict[str, Callable[[Session, float], object]] = {
    "received": lambda session, now: session.receive(b"ech", now),
    "received more": lambda session, now: session.receive(b"web page", now),
    "received noise": lambda session, now: session.receive(b"\0", now),
    "connected": lambda session, now: session.connected(now),
    "connect failed": lambda session, now: session.connect_failed("refused", now),
    "client finished": lambda session, now: session.finished(Side.CLIENT, now),
    "backend finished": lambda session, now: session.finished(Side.BACKEND, now),
    "client lost": lambda session, now: session.lost(Side.CLIENT, now),
    "backend lost": lambda session, now: session.lost(Side.BACKEND, now),
    "served": lambda session, now: session.served(),
    "expired": lambda session, now: session.expire(now),
    "ended": lambda session, now: session.end("stopped"),
    "closing": lambda session, now: session.closing(now),
}

_LEGAL: dict[Phase, set[Phase]] = {
    Phase.SNIFF: {Phase.DIAL, Phase.SERVE, Phase.CLOSE},
    Phase.DIAL: {Phase.RELAY, Phase.CLOSE},
    Phase.RELAY: {Phase.CLOSE},
    Phase.SERVE: {Phase.CLOSE},
    Phase.CLOSE: set(),
    Phase.OVER: set(),
}


class EveryEventTests(SynchronousTestCase):
    """Engines may be late: any event may come in any phase."""

    def policy(self) -> Policy:
        return policy(
            limits=Limits(per_source=5, rate=100.0, ban=Ban(3, 60.0, 60.0)),
            idle=30.0,
            half_close=20.0,
        )

    def test_every_event_in_every_phase(self) -> None:
        """None raises; phases follow their order; the end is one whole record."""
        for state, begin in STATES.items():
            for name, event in EVENTS.items():
                for passed in (0.0, 5.0, 1000.0):
                    here = self.policy()
                    session = begin(here)
                    before = session.phase
                    effect = event(session, START + passed)
                    after = session.phase
                    case = f"{name} when {state}, {passed} seconds later"
                    if effect is not None:
                        self.assertIsInstance(effect, Effect, case)
                    self.assertIn(after, _LEGAL[before] | {before}, case)
                    if effect in (CLOSE, RESET):
                        self.assertIs(after, Phase.CLOSE, case)
                    elif after is not before:
                        self.assertIsNot(after, Phase.CLOSE, case)
                    session.lost(Side.CLIENT, START + passed)
                    record = session.closed(START + passed)
                    self.assertTrue(record.end, case)
                    self.assertEqual(counts(here), [0, 0, 0, 0], case)

    def test_nothing_happens_to_what_is_over(self) -> None:
        """Neither to the session nor to what it had counted."""
        for begin in STATES.values():
            here = self.policy()
            session = begin(here)
            session.lost(Side.CLIENT, START)
            session.closed(START)
            for name, event in EVENTS.items():
                event(session, START + 1000.0)
                self.assertEqual(session.phase, Phase.OVER, name)
                self.assertEqual(counts(here), [0, 0, 0, 0], name)
                self.assertIsNone(session.deadline, name)

    def test_a_late_backend_is_not_wanted(self) -> None:
        """A connection that comes when all is lost is closed, not relayed."""
        session = _dialling(self.policy())
        session.lost(Side.CLIENT, START)
        self.assertEqual(session.connected(START), CLOSE)
        self.assertEqual(session.phase, Phase.CLOSE)
        self.assertEqual(session.connect_failed("refused", START), WAIT)

    def test_closed_without_a_word(self) -> None:
        """The record says that nobody knows why."""
        session = relaying(self.policy())
        self.assertEqual(session.closed(START).end, "lost")

    @settings(max_examples=300)
    @given(
        st.lists(
            st.tuples(
                st.integers(0, 4),
                st.sampled_from([*EVENTS, "closed"]),
                st.sampled_from((0.0, 0.1, 4.0, 50.0)),
            ),
            max_size=60,
        )
    )
    def test_counts(self, events: Sequence[tuple[int, str, float]]) -> None:
        """After any events of several sessions, nothing is left and nothing owed."""
        here = policy(
            route("web", b"web", forwarding(A, B, attempts=2), most=2),
            route("echo", b"echo", ECHO, most=2),
            limits=Limits(4, 3, 5.0, Ban(3, 60.0, 10.0)),
            whole=Count(4),
            idle=30.0,
            half_close=20.0,
        )
        sources = SOURCE, Host("2001:db8::1%lo", 9), Unix("/c")
        live: dict[int, Session] = {}
        now = START
        for which, name, passed in events:
            now += passed
            if which not in live:
                live[which] = opened(here, sources[which % 3], now)
            if name == "closed":
                live.pop(which).closed(now)
            else:
                EVENTS[name](live[which], now)
            held = counts(here)
            self.assertGreaterEqual(min(held), 0)
            self.assertLessEqual(held[0], len(live))
        for session in live.values():
            session.closed(now)
        self.assertEqual(counts(here), [0, 0, 0, 0])


class CostTests(SynchronousTestCase):
    """A session is all that a connection needs."""

    def test_nothing_is_left(self) -> None:
        """Of sessions that ended, whether by their first segment or later."""
        here = policy(limits=Limits(per_source=9))

        def serve() -> None:
            for data in (b"web", b"echo", b"none", b"\0"):
                for _ in range(50):
                    session = opened(here)
                    session.receive(data[:1], START)
                    session.receive(data[1:] or b"\0", START)
                    session.lost(Side.CLIENT, START)
                    session.closed(START)

        serve()
        self.assertLess(octets_kept(serve), 2000)
