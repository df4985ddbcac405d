"""Tests for L{portmux.control.websocket}: the other side is wsproto's client."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)

from portmux.control.desk import Desk
from portmux.control.http import HttpSession
from portmux.control.turns import AT_ONCE, Turns
from portmux.control.websocket import LIMIT, PING
from tests.control.stage import Office, Wire


class SocketCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.office, self.wire, self.clock = Office(), Wire(), Clock()
        self.desk = Desk(self.office, turns=Turns(self.clock.seconds))
        made = HttpSession(self.desk, self.clock, False, False, lambda one: None)
        self.session = made
        self.session.makeConnection(self.wire)
        self.client = WSConnection(ConnectionType.CLIENT)
        self.addCleanup(self._end)

    def _end(self) -> None:
        self.session.connectionLost()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def send(self, *events: Event) -> list[Event]:
        """@return: what comes back."""
        for event in events:
            self.session.dataReceived(self.client.send(event))
        return self.heard()

    def heard(self) -> list[Event]:
        said, self.wire.said = self.wire.said, b""
        self.client.receive_data(said)
        return list(self.client.events())

    def open(self, *headers: tuple[bytes, bytes]) -> list[Event]:
        asked = Request(host="localhost", target="/", extra_headers=list(headers))
        return self.send(asked)

    def call(self, method: str, *params: Any) -> Any:
        """@return: the answer to a call."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        (found,) = self.send(TextMessage(data=json.dumps(asked)))
        assert isinstance(found, TextMessage)
        return json.loads(found.data)


class SocketTests(SocketCase):
    def test_calls(self) -> None:
        """One after another; a batch is one message."""
        (accepted,) = self.open()
        self.assertIsInstance(accepted, AcceptConnection)
        self.assertEqual(self.call("openTunnel", "1", ["2"])["result"], None)
        self.assertEqual(self.call("listTunnels")["result"], ["127.0.0.1:1"])
        self.assertEqual(self.call("closeTunnel", "9")["error"]["code"], 1006)
        one = {"jsonrpc": "2.0", "id": 1, "method": "numberOfTunnels"}
        (found,) = self.send(TextMessage(data=json.dumps([one, one])))
        assert isinstance(found, TextMessage)
        self.assertEqual(len(json.loads(found.data)), 2)

    def test_other_sites(self) -> None:
        """Browsers open WebSockets for any page; they say which."""
        found, *_ = self.open((b"origin", b"http://evil.example"))
        assert isinstance(found, RejectConnection)
        self.assertEqual(found.status_code, 403)

    def test_bad_handshake(self) -> None:
        self.session.dataReceived(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\r\n"
        )
        self.assertTrue(self.wire.said.startswith(b"HTTP/1.1 400 "))
        self.assertTrue(self.wire.over)

    def test_pieces(self) -> None:
        """A message may come in frames."""
        self.open()
        text = '{"jsonrpc":"2.0","id":1,"method":"numberOfTunnels"}'
        begun = TextMessage(data=text[:9], message_finished=False)
        self.assertEqual(self.send(begun), [])
        (found,) = self.send(TextMessage(data=text[9:]))
        assert isinstance(found, TextMessage)
        self.assertEqual(json.loads(found.data)["result"], 0)

    def test_limit(self) -> None:
        self.open()
        piece = TextMessage(data="x" * 65536, message_finished=False)
        for _ in range(LIMIT // 65536):
            self.assertEqual(self.send(piece), [])
        (found,) = self.send(piece)
        assert isinstance(found, CloseConnection)
        self.assertEqual(found.code, 1009)
        self.assertTrue(self.wire.over)

    def test_binary(self) -> None:
        self.open()
        (found,) = self.send(BytesMessage(data=b"x"))
        assert isinstance(found, CloseConnection)
        self.assertEqual(found.code, 1003)

    def test_close(self) -> None:
        self.open()
        (found,) = self.send(CloseConnection(code=1000))
        self.assertIsInstance(found, CloseConnection)
        self.assertTrue(self.wire.finished)

    def test_many(self) -> None:
        """Others have their turn, and nothing more is read until all are answered."""
        self.open()
        asked = TextMessage(data='{"jsonrpc":"2.0","id":1,"method":"listTunnels"}')
        data = b"".join(self.client.send(asked) for _ in range(AT_ONCE * 2))
        self.session.dataReceived(data)
        self.assertEqual((len(self.heard()), self.wire.reading), (AT_ONCE, False))
        self.clock.advance(0)
        self.assertEqual((len(self.heard()), self.wire.reading), (AT_ONCE, True))

    def test_noise(self) -> None:
        self.open()
        self.session.dataReceived(b"\xff" * 100)
        self.assertTrue(self.wire.over)


class LifeTests(SocketCase):
    def test_pings(self) -> None:
        """Who answers stays; who does not is gone."""
        self.open()
        self.assertIsInstance(self.send(Ping())[0], Pong)
        self.clock.advance(PING)
        (found,) = self.heard()
        assert isinstance(found, Ping)
        self.send(found.response())
        self.clock.advance(PING)
        self.assertEqual(len(self.heard()), 1)
        self.clock.advance(PING)
        self.assertTrue(self.wire.aborted)

    def test_watch(self) -> None:
        """Events are notifications, beside answers."""
        self.open()
        self.call("watch")
        self.call("watch")
        self.office.hub.publish({"event": "x"})
        (found,) = self.heard()
        assert isinstance(found, TextMessage)
        self.assertEqual(json.loads(found.data)["params"], {"event": "x"})
        self.wire.producer.pauseProducing()
        self.office.hub.publish({"event": "x"})
        self.wire.producer.resumeProducing()
        (found,) = self.heard()
        assert isinstance(found, TextMessage)
        self.assertEqual(json.loads(found.data)["params"]["event"], "missed")
        self.session.connectionLost()
        self.assertFalse(self.office.hub)

    def test_end(self) -> None:
        self.open()
        self.session.readConnectionLost()
        self.assertTrue(self.wire.over)
