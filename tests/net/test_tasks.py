"""Tests for L{portmux.net.tasks}."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from portmux.net.tasks import TaskGroup
from tests.net.logs import Logged


class TaskGroupTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.group = TaskGroup()
        self.told: list[str] = []

    async def wait(self, waiting: Deferred[None]) -> None:
        try:
            await waiting
            self.told.append("done")
        except CancelledError:
            self.told.append("cancelled")
            raise

    def test_runs_at_once(self) -> None:
        """Until it has to wait."""
        waiting: Deferred[None] = Deferred()
        self.group.spawn("test", self.wait(waiting))
        self.assertEqual((self.told, len(self.group)), ([], 1))
        waiting.callback(None)
        self.assertEqual((self.told, len(self.group)), (["done"], 0))

    def test_over_at_once(self) -> None:
        """One that does not wait leaves nothing."""

        async def nothing() -> None:
            pass

        self.group.spawn("test", nothing())
        self.assertEqual(len(self.group), 0)

    def test_failure(self) -> None:
        """It is logged by name, and concerns nobody else."""
        logged = Logged(self, TaskGroup)

        async def fail() -> None:
            raise RuntimeError("mistake")

        waiting: Deferred[None] = Deferred()
        self.group.spawn("one", self.wait(waiting))
        self.group.spawn("two", fail())
        self.assertEqual(logged.lines, [("critical", "two failed")])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        waiting.callback(None)
        self.assertEqual(self.told, ["done"])

    def test_cancel(self) -> None:
        """All are told, nothing is logged, and the end is told."""
        for _ in range(2):
            self.group.spawn("test", self.wait(Deferred()))
        self.successResultOf(self.group.cancel())
        self.assertEqual(self.told, ["cancelled", "cancelled"])
        self.assertEqual(len(self.group), 0)

    def test_cancel_waits(self) -> None:
        """For whoever has to tidy up first."""
        tidy: Deferred[None] = Deferred()

        async def slow() -> None:
            try:
                await Deferred()
            finally:
                await tidy

        self.group.spawn("test", slow())
        end = self.group.cancel()
        self.assertNoResult(end)
        tidy.callback(None)
        self.successResultOf(end)

    def test_cancel_nothing(self) -> None:
        """It has ended already."""
        self.successResultOf(self.group.cancel())
