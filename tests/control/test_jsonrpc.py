"""Tests for L{portmux.control.jsonrpc}."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.control.commands import PLEXY, ListTunnels
from portmux.control.jsonrpc import BATCH, answer, failed
from portmux.errors import CommandError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["jsonrpc", "id", "method", "params", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def carry_out(command: Any) -> Any:
    if isinstance(command, ListTunnels):
        return ["a"]
    raise CommandError(1006, "Tunnel doesn't exist")


def asked(data: Any) -> Any:
    """@return: the answer, as JSON has it; None if there is none."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    found = answer(raw, PLEXY, carry_out)
    return None if found is None else json.loads(found)


def call(method: str, number: Any = 1, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, **more}


class AnswerTests(SynchronousTestCase):
    def test_endless_number(self) -> None:
        """It cannot be given back as JSON."""
        raw = json.dumps(call("listTunnels", 7)).replace("7", "1e999").encode()
        self.assertEqual(self.code(raw), (-32600, None))
        raw = json.dumps(call("listTunnels", 1.5)).encode()
        self.assertEqual(asked(raw)["id"], 1.5)

    def code(self, data: Any) -> tuple[int, Any]:
        found = asked(data)
        return found["error"]["code"], found["id"]

    def test_result(self) -> None:
        """Members stand in the order of plexy's."""
        raw = answer(json.dumps(call("listTunnels", "x")).encode(), PLEXY, carry_out)
        self.assertEqual(raw, b'{"jsonrpc":"2.0","result":["a"],"id":"x"}')

    def test_error(self) -> None:
        """What plexy says has no data; what is ours names the parameter."""
        found = asked(call("closeTunnel", params=["1"]))
        self.assertEqual(
            found["error"], {"code": 1006, "message": "Tunnel doesn't exist"}
        )
        found = asked(call("closeTunnel", params=[1]))
        self.assertEqual(
            found["error"],
            {
                "code": -32602,
                "message": "Invalid params",
                "data": "tunnel_socket is not text",
            },
        )

    def test_no_request(self) -> None:
        for data in (b"", b"{", b'{"x":NaN}', b"\xff", b"[" * 100_000):
            self.assertEqual(self.code(data), (-32700, None), data[:20])
        wrong: Any
        for wrong in (
            1,
            "x",
            None,
            {},
            {"jsonrpc": "1.0", "id": 1, "method": "listTunnels"},
            {"jsonrpc": "2.0", "method": 1},
            call("listTunnels", None, params=5),
        ):
            number = wrong.get("id") if isinstance(wrong, dict) else None
            self.assertEqual(self.code(wrong), (-32600, number))
        self.assertEqual(self.code(call("listTunnels", [1])), (-32600, None))
        self.assertEqual(self.code(call("listTunnels", True)), (-32600, None))

    def test_unknown(self) -> None:
        self.assertEqual(self.code(call("nosuch", 5)), (-32601, 5))

    def test_notification(self) -> None:
        """Nobody is answered, not even about mistakes."""
        for method in ("listTunnels", "nosuch"):
            self.assertIsNone(asked({"jsonrpc": "2.0", "method": method}))

    def test_batch(self) -> None:
        """Answers to those that want one, in their order."""
        notice = {"jsonrpc": "2.0", "method": "listTunnels"}
        found = asked([call("listTunnels", 1), notice, 5, call("nosuch", 2)])
        self.assertEqual([each["id"] for each in found], [1, None, 2])
        self.assertIsNone(asked([notice, notice]))
        self.assertEqual(self.code([]), (-32600, None))
        self.assertEqual(self.code([notice] * (BATCH + 1)), (-32600, None))

    def test_discover(self) -> None:
        found = asked(call("rpc.discover"))["result"]
        self.assertIn("openTunnel", [each["name"] for each in found["methods"]])

    def test_failed(self) -> None:
        found = json.loads(failed(-32007, "too big"))
        self.assertEqual((found["error"]["code"], found["id"]), (-32007, None))

    @given(JSON)
    def test_anything(self, data: Any) -> None:
        """Whatever it is, the answer is one of JSON-RPC."""
        found = asked(json.dumps(data).encode())
        for each in found if isinstance(found, list) else [found] if found else []:
            self.assertEqual(each["jsonrpc"], "2.0")
            self.assertTrue(("result" in each) != ("error" in each))
