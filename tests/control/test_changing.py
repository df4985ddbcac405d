"""Tests for L{portmux.control.changing}."""

from __future__ import annotations

from portmux.control.changing import kill
from portmux.control.commands import ALL, Kill
from portmux.control.handling import HANDLERS
from portmux.control.running import run
from portmux.control.spell import of_json
from portmux.core.address import Host
from portmux.errors import CommandError
from tests.control.test_handlers import WEB, HandlerCase


class ChangeTests(HandlerCase):
    def test_kill(self) -> None:
        """One by its number, or all that fit; never all by mistake."""
        self.office.listener("front", WEB)
        one, two, three = (
            self.office.session("front", Host("192.0.2.1", port)) for port in (1, 2, 3)
        )
        self.assertIs(HANDLERS[Kill], kill)
        self.assertIn("Say which", self.refused("kill"))
        self.assertEqual(self.reply(f"kill {one.number}").first, "Killed: 1")
        self.assertIn("There is no session", self.refused(f"kill {one.number}"))
        self.assertEqual(self.reply("kill client=192.0.2.1:2").result, 1)
        self.assertEqual(self.office.live, [three])
        self.assertEqual(self.reply("kill listener=x").result, 0)
        self.assertIsNot(two, three)

    def test_states(self) -> None:
        self.office.listener("front", WEB)
        words = {"disable": "disabled", "drain": "draining", "enable": "up"}
        for word, state in words.items():
            self.assertEqual(self.reply(f"{word} front 10.0.0.1:80").spelled(), "OK\n")
            self.assertEqual(self.rows("backends")[0]["state"], state)
        self.assertEqual(
            self.refused("drain front 10.0.0.9:80"),
            "There is no backend 10.0.0.9:80 in front",
        )

    def test_weight(self) -> None:
        self.office.listener("front", WEB)
        self.reply("weight front 10.0.0.1:80 5")
        self.assertEqual(self.rows("backends")[0]["weight"], 5)
        for wrong in ("0", "257", "-1"):
            self.assertIn("1 to 256", self.refused(f"weight front 10.0.0.1:80 {wrong}"))

    def test_limits(self) -> None:
        self.office.listener("front", WEB)
        (row,) = self.rows("limits")
        self.assertEqual((row["listener"], row["connections"]), ("front", None))
        self.reply("limits front connections=5 rate=0.5 per-source=none")
        given = {"connections": 5, "rate": 0.5, "per_source": None}
        self.assertEqual(self.office.done, [("limit", "front", given)])
        self.assertIn("Say which", self.refused("limits connections=5"))
        limits = {"listener": "front", "connections": 5, "rate": 0.5}
        run(self.office, of_json(ALL, "limits", limits | {"perSource": "none"}))
        self.assertEqual(self.office.done, [("limit", "front", given)] * 2)
        for value in (True, [5]):
            with self.assertRaises(CommandError) as caught:
                of_json(ALL, "limits", {"listener": "front", "rate": value})
            self.assertEqual(caught.exception.data, "rate is not a number or text")
        for wrong in ("0", "-1", "x", "1.5"):
            said = self.refused(f"limits front connections={wrong}")
            self.assertIn("connections is not a number above 0", said)

    def test_log(self) -> None:
        self.assertEqual(self.reply("log").spelled(), "OK: level info\n\tnet debug\n")
        self.reply("log warn net")
        self.assertEqual(self.office.done, [("log", "warn", "net")])
        self.assertIn("A level is one of", self.refused("log loud"))

    def test_reload(self) -> None:
        self.assertEqual(self.reply("reload").first, "reloaded")
        self.office.faults = ["x:1: wrong", "x:2: too"]
        self.assertEqual(self.refused("reload"), "Not reloaded: x:1: wrong; x:2: too")

    def test_forget(self) -> None:
        self.reply("forget")
        self.assertEqual(self.office.done, [("forget",)])
