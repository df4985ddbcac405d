"""Tests for L{portmux.control.plexy}: whole programs run in tests/integration."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.control.commands import PLEXY
from portmux.control.plexy import numbers
from portmux.control.running import run
from portmux.control.spell import of_json, of_line
from portmux.core.address import Host
from portmux.errors import CommandError
from tests.control.stage import NOW, Office

ZERO = "open conns 0, total conns 0, bytes sent 0, received 0"


class PlexyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.office = Office()

    def ask(self, line: str) -> str:
        """@return: the reply, with the last line's end."""
        return run(self.office, of_line(PLEXY, line)).spelled()

    def call(self, method: str, *params: object) -> object:
        return run(self.office, of_json(PLEXY, method, list(params))).result

    def refused(self, line: str) -> tuple[int, str]:
        error = self.assertRaises(CommandError, self.ask, line)
        assert isinstance(error, CommandError)
        return error.code, str(error)

    def test_dialogue(self) -> None:
        """Word for word as plexy."""
        for line, reply in [
            ("status", "OK: No tunnels\n"),
            ("status full", "OK: No tunnels\n"),
            ("open 3000=3001,3002", "OK\n"),
            ("Status", "OK: Tunnels: 1\n"),
            ("status SHORT", "OK: Tunnels: 1\n"),
            (
                "STATUS Long",
                f"OK: Tunnels: 1\n\t127.0.0.1:3000 = {ZERO}, total errors 0\n",
            ),
            ("remove 3000 3002", "OK\n"),
            ("add 3000 [::1]:7", "OK\n"),
            (
                "detail 3000",
                "OK: Remotes: 2, Dead Remotes: 0, Options: strategy=random,retries=3,"
                "timeout=10, errors=1\n"
                f"\t127.0.0.1:3001 = {ZERO}, recent errors 0, total errors 0\n"
                f"\t[::1]:7 = {ZERO}, recent errors 0, total errors 0\n",
            ),
            ("close 3000 ", "OK\n"),
            ("status", "OK: No tunnels\n"),
        ]:
            self.assertEqual(self.ask(line), reply, line)

    def test_refused(self) -> None:
        self.ask("open 1=2")
        for line, code, text in [
            ("status x", 1010, "Control protocol error: Invalid argument to STATUS"),
            ("open 3000", 1001, "Tunnel definition parsing error: Parser: Char, "),
            ("open 3=4 ", 1001, "Tunnel definition parsing error: Parser: Eof, "),
            ("close bad", 1002, "Socket spec parse error: Failed parser: Digit, "),
            (
                "close 1x",
                1002,
                "Socket spec parse error: Extra characters after spec: x",
            ),
            ("close 9", 1006, "Tunnel doesn't exist"),
            ("detail 9", 1006, "Tunnel doesn't exist"),
            ("open 1=3", 1005, "Tunnel already exists"),
            ("add 9 2", 1006, "Tunnel doesn't exist"),
            ("add 1 x", 1002, "Socket spec parse error: "),
            ("add 1 2", 1007, "Remote already exists"),
            ("remove 1 3", 1008, "Remote does not exists"),
        ]:
            found = self.refused(line)
            self.assertEqual(found[0], code, line)
            self.assertTrue(found[1].startswith(text), found)

    def test_dead(self) -> None:
        """Remotes that get no clients are counted apart, and not shown."""
        self.ask("open 1=2,3")
        pool = self.office.bored["127.0.0.1:1"].pool
        pool.disable(pool.backends[0], NOW)
        first, second = self.ask("detail 1").splitlines()
        self.assertTrue(first.startswith("OK: Remotes: 1, Dead Remotes: 1, "))
        self.assertTrue(second.startswith("\t127.0.0.1:3 = "))
        pool.disable(pool.backends[1], NOW)
        self.assertEqual(self.ask("detail 1").splitlines()[1:], [""])

    def test_numbers(self) -> None:
        """What live sessions have moved counts at once."""
        self.ask("open 1=2")
        session = self.office.session("127.0.0.1:1", Host("127.0.0.1", 5))
        session.connected(NOW)
        session.sent, session.received = 1000, 500
        self.assertEqual(
            self.ask("status full").splitlines()[1],
            "\t127.0.0.1:1 = open conns 1, total conns 1, bytes sent 1000,"
            " received 500, total errors 0",
        )
        self.assertIn("conns 1, total conns 1, bytes sent 1000", self.ask("detail 1"))
        (told,) = numbers(self.office)
        self.assertEqual(told.stats["bytes_sent"], 1000)
        self.assertEqual(told.remotes["127.0.0.1:2"]["bytes_received"], 500)
        session.end("done")
        self.office.live.remove(session)
        session.closed(NOW)
        self.assertIn(
            "open conns 0, total conns 1, bytes sent 1000, received 500",
            self.ask("status full"),
        )
        self.assertIn("open conns 0, total conns 1", self.ask("detail 1"))

    def test_errors(self) -> None:
        """An attempt that failed counts for the tunnel and for the remote."""
        self.ask("open 1=2")
        session = self.office.session("127.0.0.1:1", Host("127.0.0.1", 5))
        session.connect_failed("refused", NOW)
        self.assertIn("total errors 1", self.ask("status full"))
        self.assertIn("recent errors 1, total errors 1", self.ask("detail 1"))
        remotes = self.call("remotes", "1")
        assert isinstance(remotes, dict)
        self.assertEqual(remotes["127.0.0.1:2"]["last_error_time"], NOW * 1000)

    def test_json(self) -> None:
        """Members and their order are plexy's."""
        self.assertEqual(self.call("openTunnel", "1", ["2", "2"], None), None)
        self.assertEqual(self.call("numberOfTunnels"), 1)
        self.assertEqual(self.call("listTunnels"), ["127.0.0.1:1"])
        info = self.call("tunnelInfo", "1")
        assert isinstance(info, dict)
        self.assertEqual(
            list(info), ["stats", "num_remotes", "num_dead_remotes", "options"]
        )
        self.assertEqual(
            list(info["stats"]),
            [
                "bytes_sent",
                "streams_open",
                "bytes_received",
                "total_connections",
                "errors",
            ],
        )
        self.assertEqual(info["options"]["lb_strategy"], "Random")
        self.assertEqual(info["options"]["options"]["dead_retry"], 10.0)
        remotes = self.call("remotes", "1")
        assert isinstance(remotes, dict)
        stats = [
            "bytes_sent",
            "streams_open",
            "streams_pending",
            "bytes_received",
            "total_connections",
            "last_error_time",
            "num_errors",
            "total_errors",
        ]
        self.assertEqual(list(remotes["127.0.0.1:2"]), stats)
        self.assertIs(self.call("addRemote", "1", "3"), None)
        removed = self.call("removeRemote", "1", "3")
        assert isinstance(removed, dict)
        self.assertEqual(list(removed), stats)
        self.assertIs(self.call("closeTunnel", "1"), None)
        error = self.assertRaises(CommandError, self.call, "openTunnel", "x", ["1"])
        assert isinstance(error, CommandError)
        self.assertEqual(error.code, 1002)
