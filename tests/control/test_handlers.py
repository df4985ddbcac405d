"""Tests for L{portmux.control.handlers}."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from portmux.control.commands import ALL
from portmux.control.handlers import MOST, does
from portmux.control.reply import Reply
from portmux.control.running import run
from portmux.control.spell import of_line
from portmux.core.address import Host, Unix
from portmux.core.plan import Closing, Serving
from portmux.errors import CommandError
from tests.control.stage import Office

WEB = Host("10.0.0.1", 80)


class HandlerCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.office = Office()

    def reply(self, line: str) -> Reply:
        return run(self.office, of_line(ALL, line))

    def rows(self, line: str) -> list[dict[str, Any]]:
        found = self.reply(line).result
        assert isinstance(found, list)
        return found

    def refused(self, line: str) -> str:
        return str(self.assertRaises(CommandError, self.reply, line))


class LookTests(HandlerCase):
    def test_listeners_and_routes(self) -> None:
        self.office.listener("front", WEB)
        self.office.listener("back")
        session = self.office.session("front", Host("192.0.2.1", 5))
        session.sent = 7
        front, back = self.rows("listeners")
        told = (front["listener"], front["sessions"], front["sent"])
        self.assertEqual(told, ("front", 1, 7))
        self.assertEqual(front["addresses"], ["127.0.0.1:80"])
        self.assertEqual(back["accepted"], 0)
        routes = self.rows("routes")
        self.assertEqual(routes[0]["route"], "front/all")
        self.assertEqual(routes[0]["does"], "forward to front")
        self.assertEqual(routes[0]["sessions"], 1)
        names = [row["route"] for row in self.rows("routes back")]
        self.assertEqual(names[0], "back/all")
        self.assertTrue(all(name.startswith("back/") for name in names))
        self.assertEqual(self.refused("routes x"), "There is no listener x")

    def test_does(self) -> None:
        async def serve(client: Any) -> None: ...

        self.assertEqual(does(Closing()), "close")
        self.assertEqual(does(Closing(reset=True)), "reset")
        self.assertEqual(does(Serving("echo", serve)), "echo")

    def test_pools_and_backends(self) -> None:
        self.office.listener("front", WEB, Unix("/run/x"))
        self.office.session("front", Host("192.0.2.1", 5))
        (pool,) = self.rows("pools")
        self.assertEqual((pool["pool"], pool["backends"], pool["up"]), ("front", 2, 2))
        first, second = self.rows("backends front")
        self.assertEqual((first["backend"], first["connecting"]), ("10.0.0.1:80", 1))
        self.assertEqual((second["backend"], second["state"]), ("unix:/run/x", "up"))
        self.assertEqual(self.refused("backends x"), "There is no pool x")

    def test_sessions(self) -> None:
        """The oldest first; those that fit, and not more than are wanted."""
        self.office.listener("front", WEB)
        self.office.listener("other", Host("10.0.0.2", 80))
        for listener, client in [
            ("front", Host("192.0.2.1", 5)),
            ("front", Host("2001:db8::1", 6)),
            ("other", Host("192.0.2.1", 7)),
        ]:
            self.office.session(listener, client)
        numbers = [session.number for session in self.office.live]
        for words, found in [
            ("", numbers),
            ("listener=other", numbers[2:]),
            ("route=all listener=front", numbers[:2]),
            ("backend=10.0.0.1:80", numbers[:2]),
            ("client=192.0.2.1", [numbers[0], numbers[2]]),
            ("client=192.0.2.1:7", numbers[2:]),
            ("client=2001:db8::1", [numbers[1]]),
            ("client=2001:db8::/64", [numbers[1]]),
            ("client=x", []),
            ("limit=1", numbers[:1]),
            ("limit=-5", []),
        ]:
            rows = self.rows(f"sessions {words}".strip())
            self.assertEqual([row["session"] for row in rows], found, words)
        first = self.reply("sessions limit=1").first
        self.assertEqual(first, "Sessions: 3, 1 of them follow")
        row = self.rows("sessions")[0]
        self.assertEqual((row["phase"], row["seconds"]), ("dial", 5.0))
        self.office.live[0].touched -= 1.0
        self.assertEqual(self.rows("sessions")[0]["rested"], 5.0, "a coarse clock's")
        self.assertLessEqual(MOST, 1000)

    def test_explain(self) -> None:
        self.office.listener("front", WEB)
        reply = self.reply(r"explain front GET / HTTP/1.1\0d\0a")
        self.assertEqual(reply.first, "all by match: forward to front")
        self.assertEqual(reply.result["routes"][0]["verdict"], "yes")
        self.assertIn("4096 are allowed", self.refused("explain front " + "x" * 4097))

    def test_text(self) -> None:
        """Many lines are the lines of the reply, and one text in JSON."""
        reply = self.reply("diff")
        self.assertEqual(reply.spelled(), "OK: 2 line(s)\n\tclosed:\n\t  - a\n")
        self.assertEqual(reply.result, "closed:\n  - a\n")
        self.assertEqual(self.reply("save").spelled(), "OK: nothing is configured\n")

    def test_version(self) -> None:
        reply = self.reply("version")
        self.assertEqual(reply.spelled(), "OK: portmux 1.2.3\n\tpid 7\n")
        self.assertEqual(reply.result, {"version": "1.2.3", "pid": 7})

    def test_check(self) -> None:
        self.assertEqual(self.reply("check").spelled(), "OK: in order\n")
        self.office.faults = ["x:1: wrong"]
        text = "OK: 1 fault(s)\n\tx:1: wrong\n"
        self.assertEqual(self.reply("check").spelled(), text)
