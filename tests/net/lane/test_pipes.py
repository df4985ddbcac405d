"""Tests for L{portmux.net.lane.pipes}."""

from __future__ import annotations

import fcntl
import os
import resource

from twisted.trial.unittest import SynchronousTestCase

from portmux.net.descriptors import Budget
from portmux.net.lane.pipes import LEAST, RETRY, SIZE, SPARE, Pipe, Pipes


class PipesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.budget = Budget(100)
        self.pipes = Pipes(self.budget, kept=2)
        self.addCleanup(self.pipes.stop)

    def take(self, now: float = 0.0) -> Pipe:
        pipe = self.pipes.take(now)
        assert pipe is not None
        return pipe

    def is_open(self, pipe: Pipe) -> bool:
        try:
            os.fstat(pipe.reader)
        except OSError:
            return False
        return True

    def test_large(self) -> None:
        """As large as is worth it, and nobody waits at either end."""
        pipe = self.take()
        self.addCleanup(pipe.close)
        size = fcntl.fcntl(pipe.writer, fcntl.F_GETPIPE_SZ)
        self.assertEqual(pipe.size, size)
        self.assertIn(size, (SIZE, SIZE // 2, LEAST))
        self.assertRaises(BlockingIOError, os.read, pipe.reader, 1)

    def test_shared(self) -> None:
        """An empty one is given to who comes next; not more are kept than said."""
        pipes = [self.take() for _ in range(3)]
        for pipe in pipes:
            self.pipes.give(pipe)
        self.assertEqual([self.is_open(pipe) for pipe in pipes], [True, True, False])
        self.assertIs(self.take(), pipes[1])
        self.pipes.give(pipes[1])

    def test_used(self) -> None:
        """What somebody has left in one is nobody else's."""
        pipe = self.take()
        os.write(pipe.writer, b"secret")
        pipe.held = 6
        self.pipes.give(pipe)
        self.assertFalse(self.is_open(pipe))

    def test_refused(self) -> None:
        """No descriptor left: none for a while; then the system is asked again."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.open("/dev/null", os.O_RDONLY)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            self.assertIsNone(self.pipes.take(100.0))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.assertIsNone(self.pipes.take(100.0 + RETRY / 2))
        self.pipes.give(self.take(100.0 + RETRY))

    def test_unprivileged(self) -> None:
        """Without rights only some are large enough; all others are refused."""
        child = os.fork()
        if not child:
            try:
                os._exit(_take_many())
            finally:
                os._exit(3)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)

    def test_sessions_first(self) -> None:
        """Descriptors are reserved like theirs, and only while they have enough."""
        pipes = [self.take() for _ in range(3)]
        self.assertEqual(self.budget.taken, 6)
        self.budget.take(100 - SPARE - 5)
        self.assertIsNone(self.pipes.take(0.0))
        for pipe in pipes:
            self.pipes.give(pipe)
        self.pipes.stop()
        self.assertEqual(self.budget.taken, 100 - SPARE - 5)

    def test_stop(self) -> None:
        """Nothing is left open."""
        pipe = self.take()
        self.pipes.give(pipe)
        self.pipes.stop()
        self.assertFalse(self.is_open(pipe))


def _take_many() -> int:
    """@return: 0; 1 when one is too small, 2 when there was none at all."""
    if os.geteuid() == 0:
        os.setuid(65534)  # nobody
    pipes = Pipes(Budget(10_000))
    taken = [pipes.take(0.0) for _ in range(150)]
    sizes = [pipe.size for pipe in taken if pipe is not None]
    if not sizes:
        return 2
    return 0 if min(sizes) >= LEAST else 1
