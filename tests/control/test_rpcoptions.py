"""Tests for L{portmux.control.rpcoptions}."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.sources.tunnel import Options
from portmux.control.rpcoptions import RpcOptions, camel
from portmux.core.option import Seconds
from portmux.core.strategies import Strategy
from portmux.errors import CommandError

INNER = {"errors_till_dead": 2, "connect_timeout": 1, "dead_retry": 5.5, "tls": True}


class RpcOptionsTests(SynchronousTestCase):
    def refused(self, value: Any) -> tuple[int, str]:
        error = self.assertRaises(CommandError, RpcOptions.of_json, value)
        assert isinstance(error, CommandError)
        return error.code, error.data

    def test_whole(self) -> None:
        """Members that nobody knows are ignored."""
        found = RpcOptions.of_json(
            {
                "lb_strategy": "RoundRobin",
                "remote_connect_retries": 7,
                "options": INNER,
                "more": 1,
            }
        )
        options = Options(Strategy.ROUND_ROBIN, 7, Seconds(1.0), 2, Seconds(5.5), True)
        self.assertEqual(found.options, options)

    def test_parts(self) -> None:
        """The outer members are optional; the inner ones come together."""
        self.assertEqual(RpcOptions.of_json({}).options, Options())
        null = {"lb_strategy": None, "options": None}
        self.assertEqual(RpcOptions.of_json(null).options, Options())
        for name in INNER:
            inner = {key: value for key, value in INNER.items() if key != name}
            code, text = self.refused({"options": inner})
            self.assertEqual(
                (code, text), (-32602, f"options.options.{name} is missing")
            )

    def test_strategies(self) -> None:
        """plexy's names, and those of the line protocol."""
        for strategy in Strategy:
            for name in (camel(strategy), strategy.value):
                found = RpcOptions.of_json({"lb_strategy": name}).options
                self.assertIs(found.strategy, strategy)
        self.assertEqual(camel(Strategy.LEAST_CONNECTIONS), "MinimumOpenConnections")
        self.assertEqual(self.refused({"lb_strategy": "Best"})[0], 1012)

    def test_types(self) -> None:
        for value, text in [
            ([], "options is not an object"),
            ({"lb_strategy": 1}, "options.lb_strategy is not text"),
            (
                {"remote_connect_retries": 65536},
                "options.remote_connect_retries is not a whole",
            ),
            (
                {"remote_connect_retries": True},
                "options.remote_connect_retries is not a whole",
            ),
            ({"options": 1}, "options.options is not an object"),
            ({"options": {**INNER, "tls": 1}}, "options.options.tls is not true or"),
            (
                {"options": {**INNER, "dead_retry": -1}},
                "options.options.dead_retry is not",
            ),
            (
                {"options": {**INNER, "connect_timeout": "1"}},
                "options.options.connect_timeout is",
            ),
            (
                {"options": {**INNER, "errors_till_dead": 1.5}},
                "options.options.errors_till_dead is not",
            ),
        ]:
            code, said = self.refused(value)
            self.assertEqual(code, -32602)
            self.assertTrue(said.startswith(text), said)

    def test_schema(self) -> None:
        """As OpenRPC tells it."""
        self.assertEqual(RpcOptions.schema()["type"], "object")
