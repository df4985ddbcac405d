"""System calls of a short connection."""

from __future__ import annotations

from contextlib import redirect_stderr
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from bench.calls import Counted, counts, parse, run, table
from bench.peers import PEERS
from tests.bench.needs import missing

SUMMARY = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 75.00    0.000300           1       300       100 recvfrom
 25.00    0.000100           1       100           close
------ ----------- ----------- --------- --------- ----------------
100.00    0.000400           1       400       100 total
"""


class CountTests(SynchronousTestCase):
    def test_summary(self) -> None:
        """Calls that failed are calls; the sum is none."""
        self.assertEqual(counts(SUMMARY), {"recvfrom": 300, "close": 100})

    def test_table(self) -> None:
        """For each connection; what is rare is in the sum only."""
        one = Counted({**counts(SUMMARY), "brk": 1}, 100)
        other = Counted({"close": 200}, 100)
        self.assertEqual(
            [line.split() for line in table({"one": one, "other": other}).splitlines()],
            [
                ["one", "other"],
                ["all", "4.0", "2.0"],
                ["recvfrom", "3.0", "0.0"],
                ["close", "1.0", "2.0"],
                ["connections", "100", "100"],
            ],
        )

    def test_names(self) -> None:
        """Any proxy may be counted, but not the backend alone."""
        self.assertEqual(parse(["--only", "nginx,portmux"]).only, ["nginx", "portmux"])
        with redirect_stderr(StringIO()) as said:
            self.assertRaises(SystemExit, parse, ["--only", "direct"])
        self.assertIn("'direct' is not one of", said.getvalue())


class RunTests(SynchronousTestCase):
    skip = missing("cc", "strace")

    def test_run(self) -> None:
        """Each connection is accepted, connected and closed on both sides."""
        peers = [peer for peer in PEERS if peer.name == "portmux-lane"]
        (found,) = run(peers, 0.5, 4).values()
        self.assertGreater(found.connections, 0)
        for name, least in (("accept4", 1), ("connect", 1), ("close", 2)):
            self.assertGreaterEqual(found.each(name), 0.9 * least)
        self.assertLess(found.total, 60)
