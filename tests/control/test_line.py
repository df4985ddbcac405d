"""Tests for L{portmux.control.line}."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from portmux.control.desk import Desk
from portmux.control.flow import LINGER, PATIENCE
from portmux.control.line import LONG, LineSession
from portmux.control.turns import AT_ONCE, Turns
from portmux.core.address import Host
from tests.control.stage import Office, Wire, turn

WRONG = "SORRY: Control protocol error: Invalid command: "
RPC = '{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}\n'


class LineCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.office = Office()
        self.clock = Clock()
        self.desk = Desk(self.office, turns=Turns(self.clock.seconds))
        self.left: list[Any] = []
        self.wire = Wire()
        self.session = self.begun()

    def begun(self, trusted: bool = False) -> LineSession:
        self.wire = Wire()
        session = LineSession(self.desk, self.clock, trusted, self.left.append)
        session.makeConnection(self.wire)
        self.session = session
        return session

    def say(self, text: str | bytes) -> str:
        """@return: the answer."""
        self.session.dataReceived(text.encode() if isinstance(text, str) else text)
        return self.wire.heard()


class CommandTests(LineCase):
    def test_interface(self) -> None:
        self.assertTrue(verifyObject(IHalfCloseableProtocol, self.session))

    def test_one_after_another(self) -> None:
        """Replies come in order, however the lines arrive."""
        self.assertEqual(self.say("sta"), "")
        self.assertEqual(
            self.say("tus\r\nopen 1=2\nstatus\nfrob\n"),
            f"OK: No tunnels\nOK\nOK: Tunnels: 1\n{WRONG}FROB\n",
        )

    def test_many(self) -> None:
        """After some commands others have their turn."""
        answers = self.say("status\n" * (AT_ONCE * 3))
        self.assertEqual(answers.count("\n"), AT_ONCE)
        self.clock.advance(0)
        self.clock.advance(0)
        answers += self.wire.heard()
        self.assertEqual(answers, "OK: No tunnels\n" * (AT_ONCE * 3))

    def test_others(self) -> None:
        """Who asks for one thing does not wait for who asks for many."""
        wire = self.wire
        self.session.dataReceived(b"status\n" * (AT_ONCE * 3))
        self.begun()
        self.assertEqual(self.say("status\n"), "")
        turn(self.clock)
        self.assertEqual(self.wire.heard(), "OK: No tunnels\n")
        self.assertEqual(wire.heard(), "OK: No tunnels\n" * (AT_ONCE * 2 - 1))

    def test_exit(self) -> None:
        """No reply; and what stands behind it is not done."""
        self.assertEqual(self.say("EXIT now\nopen 1=2\n"), "")
        self.assertTrue(self.wire.finished)
        self.assertEqual(self.say("open 1=2\n"), "")
        self.assertEqual(self.office.bored, {})
        self.session.readConnectionLost()
        self.assertTrue(self.wire.lost)

    def test_framing(self) -> None:
        """What cannot be a line ends the session, after it was said why."""
        for said, why in [
            (b"x" * 1025 + b"\n", "max line length exceeded"),
            (b"\xe4\n", "Unable to decode input as UTF8"),
        ]:
            self.begun()
            answer = self.say(b"status\n" + said + b"open 1=2\n")
            sorry = f"SORRY: Invalid control protocol line: {why}\n"
            self.assertEqual(answer, "OK: No tunnels\n" + sorry)
            self.assertTrue(self.wire.over)
        self.assertEqual(self.office.bored, {})

    def test_end(self) -> None:
        """The last line has to be whole."""
        self.say("status\n")
        self.session.readConnectionLost()
        self.assertEqual((self.wire.heard(), self.wire.lost), ("", True))
        self.begun()
        self.say("status")
        self.session.readConnectionLost()
        self.assertEqual(
            self.wire.heard(), "SORRY: IO error: bytes remaining on stream\n"
        )
        self.assertTrue(self.wire.lost)

    def test_http(self) -> None:
        """A browser that was led here is told so, and nothing it says is done."""
        body = "open 1=2\n"
        for first in (
            "POST / HTTP/1.1",
            "STATUS /x HTTP/1.0",
            "GET * HTTP/1.1",
            "get / HTTP/1.1",
            "M-SEARCH * HTTP/1.1",
            "GET http://localhost/ HTTP/1.1",
            "CONNECT localhost:1 HTTP/1.1",
        ):
            self.begun()
            word = first.partition(" ")[0].upper()
            self.assertEqual(self.say(f"{first}\r\n\r\n{body}"), f"{WRONG}{word}\n")
            self.assertTrue(self.wire.over)
        self.begun()
        answer = self.say(f"status\nGET / HTTP/1.1\n{body}")
        self.assertTrue(answer.endswith("\nOK\n"), "later on it is a line like others")

    def test_not_http(self) -> None:
        """To have the first bytes of HTTP explained is no request."""
        self.office.listener("front", Host("10.0.0.1", 80))
        for first in ("GET / HTTP/1.1", "HTTP/1.1"):
            self.begun()
            answer = self.say(f"EXPLAIN front {first}\nstatus\n")
            self.assertTrue(answer.startswith("OK: all by match"), answer)
            self.assertTrue(answer.endswith("OK: No tunnels\n"), answer)

    def test_over(self) -> None:
        self.session.connectionLost()
        self.assertEqual(self.left, [self.session])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class JsonTests(LineCase):
    def test_request(self) -> None:
        """A line of JSON is answered by one; it may be longer than others."""
        self.say("open 1=2\n")
        self.assertEqual(
            self.say(RPC % (7, "listTunnels", "[]")),
            '{"jsonrpc":"2.0","result":["127.0.0.1:1"],"id":7}\n',
        )
        remotes = json.dumps([f"127.0.0.1:{port}" for port in range(1, 200)])
        self.say(RPC % (8, "openTunnel", f'["5", {remotes}]'))
        self.assertEqual(len(self.office.bored["127.0.0.1:5"].pool.backends), 199)
        answer = json.loads(self.say('{"x\n'))
        self.assertEqual(answer["error"]["code"], -32700)
        self.say("{" + "x" * LONG + "\n")
        self.assertTrue(self.wire.over)

    def test_notification(self) -> None:
        self.assertEqual(self.say('{"jsonrpc":"2.0","method":"listTunnels"}\n'), "")

    def test_watch(self) -> None:
        self.say(RPC % (1, "watch", "[]"))
        self.office.hub.publish({"event": "x", "n": 1})
        self.assertEqual(
            self.wire.json(),
            [{"jsonrpc": "2.0", "method": "event", "params": {"event": "x", "n": 1}}],
        )


class WatchTests(LineCase):
    def test_events(self) -> None:
        """Each is a line; anything that the watcher says ends it."""
        self.assertEqual(self.say("watch\n"), "OK: watching\n")
        self.office.hub.publish({"event": "session", "client": "a b", "sent": 5})
        self.assertEqual(self.wire.heard(), '\tsession client="a b" sent=5\n')
        self.say("\n")
        self.assertTrue(self.wire.over)
        self.office.hub.publish({"event": "session"})
        self.session.connectionLost()
        self.assertFalse(self.office.hub)

    def test_slow(self) -> None:
        """Who does not read is told how much that was."""
        self.say("watch\n")
        self.wire.producer.pauseProducing()
        for _ in range(100_000):
            self.office.hub.publish({"event": "x"})
        self.assertEqual(self.wire.heard(), "")
        self.wire.producer.resumeProducing()
        self.assertEqual(self.wire.heard(), "\tmissed events=100000\n")


class TokenTests(LineCase):
    def setUp(self) -> None:
        super().setUp()
        self.desk.token = b"secret"
        self.begun()

    def test_needed(self) -> None:
        """Nothing is done before, by line or by JSON; then everything is."""
        no = "SORRY: Authentication required: AUTH token\n"
        for line in ("open 1=2\n", "status\n", "watch\n"):
            self.assertEqual(self.say(line), no)
        answer = json.loads(self.say(RPC % (1, "openTunnel", '["1",["2"]]')))
        self.assertEqual(answer["error"]["message"], no[7:-1])
        self.assertTrue(self.say("help\n").startswith("OK: commands\n"))
        self.assertEqual(self.office.bored, {})
        self.assertEqual(self.say("auth secret\nstatus\n"), "OK\nOK: No tunnels\n")
        self.clock.advance(PATIENCE + 1)
        self.assertFalse(self.wire.over)

    def test_wrong(self) -> None:
        """One try: then the connection ends."""
        answer = self.say("auth other\nauth secret\nopen 1=2\n")
        self.assertEqual(answer, "SORRY: This is not the token\n")
        self.assertTrue(self.wire.over)
        self.assertEqual(self.office.bored, {})

    def test_late(self) -> None:
        self.clock.advance(PATIENCE)
        self.assertTrue(self.wire.aborted)

    def test_trusted(self) -> None:
        """Who may open the unix socket's file has said enough."""
        self.begun(trusted=True)
        self.assertEqual(self.say("status\n"), "OK: No tunnels\n")


class SlowTests(LineCase):
    def test_never_reads(self) -> None:
        """It is read no further, and then cut off."""
        self.wire.producer.pauseProducing()
        self.assertEqual(self.say("open 1=2\n" * 10), "")
        self.assertFalse(self.wire.reading)
        self.assertEqual(self.office.bored, {})
        self.clock.advance(PATIENCE)
        self.assertTrue(self.wire.aborted)

    def test_reads_again(self) -> None:
        self.wire.producer.pauseProducing()
        self.say("status\n")
        self.wire.producer.resumeProducing()
        self.assertEqual(self.wire.heard(), "OK: No tunnels\n")
        self.assertTrue(self.wire.reading)
        self.clock.advance(PATIENCE * 2)
        self.assertFalse(self.wire.over)

    def test_stays(self) -> None:
        """Who was told the end has to end, too."""
        self.say("exit\n")
        self.say("x" * 1000)
        self.clock.advance(LINGER)
        self.assertTrue(self.wire.aborted)


class NoiseTests(SynchronousTestCase):
    @given(st.lists(st.binary(max_size=300), max_size=8), st.booleans())
    def test_anything(self, pieces: list[bytes], end: bool) -> None:
        """Whatever comes, each line of the answer is one of ours."""
        wire, clock = Wire(), Clock()
        desk = Desk(Office(), turns=Turns(clock.seconds))
        session = LineSession(desk, clock, True, lambda session: None)
        session.makeConnection(wire)
        for piece in pieces:
            if not wire.over:
                session.dataReceived(piece)
        if end and not wire.lost:
            session.readConnectionLost()
        for line in wire.heard().split("\n")[:-1]:
            self.assertTrue(line.startswith(("OK", "SORRY: ", "\t", "{")) or not line)
        session.connectionLost()
        self.assertEqual(clock.getDelayedCalls(), [])
