"""Tests for L{portmux.actions.mux}; what it does then: C{tests.net.test_mux}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.actions.mux import Mux, MuxBreaker, MuxConnect, MuxQueue, MuxTimeouts
from portmux.core.address import Host
from portmux.core.frame.line import Line
from portmux.core.frame.modbus import Modbus
from portmux.core.mux.breaker import Rule
from portmux.core.option import Seconds
from tests.actions.decoding import decoded, faults_of

TARGET = Host("10.0.0.9", 502)


class MuxTests(SynchronousTestCase):
    def test_short(self) -> None:
        found = decoded('mux: {protocol: line, to: "10.0.0.9:502"}')
        self.assertEqual(found, Mux(protocol=Line(), to=(TARGET,)))

    def test_all(self) -> None:
        found = decoded("""
            mux:
              protocol: modbus
              to: "10.0.0.9:502"
              connections: 2
              pipeline: 4
              pause: 50ms
              retries: 0
              unanswered: keep
              errors: protocol
              breaker: {failures: 5, pause: 1m}
              record: requests
              connect:
                timeout: 2s
                at-start: true
                delay: 1s
                backoff: 500ms
                longest-backoff: 10s
                keepalive: none
                max-age: 1h
                idle: 1m
              queue: {size: 9, per-client: 3, order: round-robin, wait: 8s}
              timeouts: {answer: 4s, unreachable: 5s, request: 6s}
        """)
        wanted = Mux(
            protocol=Modbus(),
            to=(TARGET,),
            connections=2,
            pipeline=4,
            pause=Seconds(0.05),
            retries=0,
            unanswered="keep",
            errors="protocol",
            breaker=MuxBreaker(failures=5, pause=Seconds(60.0)),
            record="requests",
            connect=MuxConnect(
                timeout=Seconds(2.0),
                at_start=True,
                delay=Seconds(1.0),
                backoff=Seconds(0.5),
                longest_backoff=Seconds(10.0),
                keepalive=None,
                max_age=Seconds(3600.0),
                idle=Seconds(60.0),
            ),
            queue=MuxQueue(
                size=9, per_client=3, order="round-robin", wait=Seconds(8.0)
            ),
            timeouts=MuxTimeouts(
                answer=Seconds(4.0), unreachable=Seconds(5.0), request=Seconds(6.0)
            ),
        )
        self.assertEqual(found, wanted)
        settings = found.settings()
        self.assertEqual(
            (settings.tolerant, settings.rotate, settings.replies, settings.told),
            (True, True, True, True),
        )
        self.assertEqual(settings.breaker, Rule(5, 60.0))
        self.assertEqual((settings.settle, settings.longest), (1.0, 10.0))

    def test_pool(self) -> None:
        plan = decoded("mux: {protocol: line, pool: web}").plan()
        self.assertEqual(plan.lasting.pools[0].name, "web")

    def test_faults(self) -> None:
        needs = "needs a protocol whose requests have numbers"
        told = {
            "protocol: line": "mux: there are no targets, to or pool is needed",
            'protocol: line, to: "a:1", pool: web': "mux.pool: there are targets, too;"
            " either of them is allowed",
            'protocol: line, to: "a:1", pipeline: 2': f"mux.pipeline: {needs};"
            " 1 is allowed",
            'protocol: modbus-rtu, to: "a:1", unanswered: keep': "mux.unanswered: "
            f"{needs}; close is allowed",
            'protocol: line, to: "a:1", breaker: {}': "mux.breaker: needs a protocol"
            " that has units; modbus has",
            'protocol: line, to: "a:1", connections: 0': "mux.connections: 0 is too"
            " small, 1 or more is allowed",
            'protocol: line, to: "a:1", errors: loud': 'mux.errors: "loud" is not'
            " allowed, one of close, protocol is",
        }
        for text, fault in told.items():
            self.assertEqual(faults_of(f"mux: {{{text}}}"), [fault])
