"""What portmux holds under a mix of clients."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from bench.soak import MOST, SPARE, Sample, judge, left_open, parse, run
from tests.bench.needs import missing

FIRST = Sample(memory=60 << 20, pipes=4, others=10, threads=2)


def grown(*sizes: int) -> list[Sample]:
    """@return: four samples for each part of a run, with so much more memory."""
    return [Sample(FIRST.memory + size, 4, 50, 2) for size in sizes for _ in range(4)]


class JudgeTests(SynchronousTestCase):
    def test_flat(self) -> None:
        """What comes in the first fifth, or passes, is no growth."""
        samples = grown(0, 5 * MOST, 9 * MOST, 0, 5 * MOST)
        self.assertEqual(judge(FIRST, samples, FIRST), [])

    def test_growing(self) -> None:
        """A leak is a line through all parts."""
        samples = grown(0, MOST, 2 * MOST, 3 * MOST, 4 * MOST)
        (fault,) = judge(FIRST, samples, FIRST)
        self.assertRegex(fault, r"memory: 62\.0 MiB .*, 68\.0 MiB in the last")

    def test_left_open(self) -> None:
        """Spare pipes may stay."""
        spare = Sample(0, FIRST.pipes + SPARE, FIRST.others, FIRST.threads)
        self.assertEqual(left_open(FIRST, spare), [])
        more = Sample(0, FIRST.pipes + SPARE + 1, 11, 3)
        self.assertEqual(len(left_open(FIRST, more)), 3)


class RunTests(SynchronousTestCase):
    skip = missing()

    def test_run(self) -> None:
        """All kinds of clients find a portmux that serves them."""
        with redirect_stdout(StringIO()) as out:
            faults = run(parse(["--seconds", "1", "--clients", "8"]))
        # So short a run says nothing about memory.
        self.assertEqual([one for one in faults if "memory" not in one], [])
        self.assertRegex(out.getvalue(), r"(?m)^\d.* short.* GiB compared$")
