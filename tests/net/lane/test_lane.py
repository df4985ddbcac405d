"""What holds of the Twisted engine holds of the lane."""

from __future__ import annotations

from portmux.net.engine import Kind
from portmux.net.lane.pair import Pair
from portmux.net.live import Live
from tests.net import test_client, test_engine, test_front


class SniffTests(test_front.SniffTests):
    kind = Kind.LANE


class DialTests(test_front.DialTests):
    kind = Kind.LANE


class RelayTests(test_front.RelayTests):
    kind = Kind.LANE

    def left(self, live: Live) -> int:
        assert isinstance(live, Pair)
        return live.up.left


class ServingTests(test_front.ServingTests):
    kind = Kind.LANE


class LingerTests(test_front.LingerTests):
    kind = Kind.LANE


class ClientTests(test_client.ClientTests):
    kind = Kind.LANE


class EngineTests(test_engine.EngineTests):
    kind = Kind.LANE
