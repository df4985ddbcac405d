"""Tests for L{portmux.control.plexy}: whole programs run in tests/integration."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.control.commands import PLEXY
from portmux.control.plexy import numbers
from portmux.control.running import run
from portmux.control.spell import of_json, of_line
from portmux.core.address import Host
from portmux.core.health import Ejection
from portmux.core.pool import Settings
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

    def test_errors_of_removed(self) -> None:
        """What a tunnel has counted it keeps: attempts, and checks of dead remotes."""
        self.ask("open 1=2")
        pool = self.office.bored["127.0.0.1:1"].pool
        pool.configure(Settings(eject=Ejection(most=1)))
        session = self.office.session("127.0.0.1:1", Host("127.0.0.1", 5))
        session.connect_failed("refused", NOW)
        (backend,) = pool.backends
        for _ in range(3):
            pool.checked(backend, "refused", NOW)
        self.assertIn("total errors 4", self.ask("status full"))
        self.ask("remove 1 2")
        self.assertIn("total errors 4", self.ask("status full"))

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


STEPS = st.one_of(
    st.tuples(st.just("client"), st.integers(0, 9)),
    st.tuples(st.just("fails"), st.integers(0, 9)),
    st.tuples(st.just("connects"), st.integers(0, 9)),
    st.tuples(st.just("ends"), st.integers(0, 9)),
    st.tuples(st.just("killed"), st.integers(0, 9)),
    st.tuples(st.just("add"), st.integers(2, 5)),
    st.tuples(st.just("remove"), st.integers(2, 5)),
    st.tuples(st.just("disable"), st.integers(2, 5)),
    st.tuples(st.just("enable"), st.integers(2, 5)),
)


def change(office: Office, what: str, port: int) -> None:
    """Have an operator do something about a remote."""
    remote, bored = Host("127.0.0.1", port), office.bored["127.0.0.1:1"]
    backend = bored.pool.find(remote)
    if backend is None:
        if what == "add":
            office.add_remote(bored.local, remote)
    elif what == "remove":
        office.remove_remote(bored.local, remote)
    elif what == "disable":
        office.disable(bored.pool, backend)
    elif what == "enable":
        office.enable(bored.pool, backend)


def happen(office: Office, what: str, number: int) -> None:
    """Have something become of a session."""
    session = office.live[number % len(office.live)]
    if what == "fails":
        session.connect_failed("refused", NOW)
    elif what == "connects":
        session.connected(NOW)
    elif what in ("ends", "killed"):
        session.end(what)
        office.live.remove(session)
        session.closed(NOW)


class CountTests(SynchronousTestCase):
    @given(st.lists(STEPS, max_size=40))
    def test_conserved(self, steps: list[tuple[str, int]]) -> None:
        """Whatever happens in whatever order: what is open comes to an end, once."""
        office, clients = Office(), 0
        run(office, of_line(PLEXY, "open 1=2,3,4"))
        for what, number in [*steps, *[("ends", 0)] * len(steps)]:
            if what == "client":
                office.session("127.0.0.1:1", Host("127.0.0.1", 9))
                clients += 1
            elif office.live:
                happen(office, what, number)
            change(office, what, number)
            (told,) = numbers(office)
            self.assertEqual(told.stats["streams_open"], len(office.live))
            for remote in told.remotes.values():
                self.assertGreaterEqual(remote["streams_open"], 0)
                self.assertGreaterEqual(remote["streams_pending"], 0)
        (told,) = numbers(office)
        self.assertEqual(told.stats["streams_open"], 0)
        self.assertEqual(told.stats["total_connections"], clients)
        for remote in told.remotes.values():
            self.assertEqual(remote["streams_open"] + remote["streams_pending"], 0)
