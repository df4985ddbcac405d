"""CPU and memory, as Linux counts them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

from twisted.trial.unittest import SynchronousTestCase

from bench.cost import (
    Reading,
    busy_seconds,
    cpu_seconds,
    descriptors,
    family,
    resident,
    threads,
)

STAT = """\
cpu  300 0 300 1000 0 0 0 0 0 0
cpu0 100 1 200 500 70 2 3 4 50 60
cpu1 200 0 100 500 0 0 0 0 0 0
cpu10 900 0 900 0 0 0 0 0 0 0
intr 12345 0 1
"""


class BusyTests(SynchronousTestCase):
    """Reading C{/proc/stat}."""

    def test_what_counts(self) -> None:
        """User, nice, system, interrupts and stolen time; neither idle nor guests,
        who are in user already."""
        self.assertEqual(busy_seconds(STAT, [0], 100), 3.10)

    def test_chosen_cores_only(self) -> None:
        """Core 1 is not core 10, and the sum of all is no core."""
        self.assertEqual(busy_seconds(STAT, [0, 1], 10), 61.0)


class ProcessTests(SynchronousTestCase):
    """Of this process, the only one that is sure to live."""

    def test_cpu(self) -> None:
        """The clock of a process is the one it reads itself."""
        before = time.process_time()
        measured = cpu_seconds([os.getpid()])
        self.assertLessEqual(before, measured)
        self.assertLessEqual(measured, time.process_time())

    def test_gone(self) -> None:
        """A process that does not exist is an error, not a zero."""
        self.assertRaises(OSError, cpu_seconds, [2**22 + 1])

    def test_resident(self) -> None:
        """A Python process takes megabytes, and two take more than one."""
        one = resident([os.getpid()])
        self.assertGreater(one, 2**20)
        self.assertGreater(resident([os.getpid()] * 2), 1.5 * one)

    def test_descriptors(self) -> None:
        """Pipes are told apart."""
        pipes, others = descriptors(os.getpid())
        ends = os.pipe()
        try:
            self.assertEqual(descriptors(os.getpid()), (pipes + 2, others))
        finally:
            for end in ends:
                os.close(end)

    def test_threads(self) -> None:
        """One more is one more, until it has ended."""
        before, over = threads(os.getpid()), threading.Event()
        one = threading.Thread(target=over.wait)
        one.start()
        self.assertEqual(threads(os.getpid()), before + 1)
        over.set()
        one.join()

    def test_family(self) -> None:
        """Children count with their parent."""
        command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
            self.assertIn(child.pid, family(os.getpid()))
        self.assertNotIn(child.pid, family(os.getpid()))


class ReadingTests(SynchronousTestCase):
    """Two moments make a cost."""

    def test_foreign_is_what_we_did_not_use(self) -> None:
        """1.6 busy seconds of two, of which 1.2 were ours."""
        before = Reading(proxy=1.0, ours=10.0, busy=100.0, moment=50.0)
        after = Reading(proxy=1.5, ours=11.2, busy=101.6, moment=52.0)
        spent = after.since(before)
        self.assertAlmostEqual(spent.proxy, 0.5)
        self.assertAlmostEqual(spent.foreign, 0.2)

    def test_foreign_is_never_negative(self) -> None:
        """The kernel samples busy time and may miss some of ours."""
        before = Reading(proxy=0.0, ours=0.0, busy=0.0, moment=0.0)
        after = Reading(proxy=1.0, ours=1.0, busy=0.99, moment=1.0)
        self.assertEqual(after.since(before).foreign, 0.0)
