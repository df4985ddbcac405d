"""Tests for L{portmux.net.child}: real programs, on a clock that we move."""

from __future__ import annotations

import os
import signal

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from portmux.net.child import Exit
from tests.net.programs import DRAIN, Run, is_alive, shell

STUBBORN = f"trap '' HUP; echo on; {DRAIN}; while :; do sleep 9; done"
"""Shell: say C{on}, then ignore SIGHUP and the end of input."""


class ExitTests(SynchronousTestCase):
    def test_text(self) -> None:
        """The log says what a shell's user would expect."""
        self.assertEqual(str(Exit(3)), "exit status 3")
        self.assertEqual(str(Exit(-signal.SIGKILL)), "killed by SIGKILL")
        self.assertEqual(str(Exit(-40)), "killed by signal 40")


class ChildTests(SynchronousTestCase):
    def begin(self, run: Run) -> Run:
        """Have the program killed whatever the test's end."""
        self.addCleanup(run.discard)
        return run

    def over(self, run: Run) -> None:
        """Nothing is left: no process, timer or descriptor."""
        self.assertFalse(os.path.exists(f"/proc/{run.child.pid}"))
        self.assertEqual(run.reactor.getDelayedCalls(), [])
        self.assertEqual(run.reactor.removeAll(), [])

    def test_all_output_before_the_end(self) -> None:
        """The end of the process is no reason to stop reading what it wrote."""
        run = self.begin(shell("seq 1 20000; exit 7"))
        run.child.stdout.pauseProducing()
        run.reactor.until(lambda: not run.reactor.turn(0.1))
        self.assertEqual(run.output.data, b"")
        run.child.stdout.resumeProducing()
        self.assertEqual(run.end(), "exit status 7")
        self.assertEqual(
            run.output.data, b"".join(b"%d\n" % n for n in range(1, 20001))
        )
        self.assertEqual(run.output.ends, 1)
        self.over(run)

    def test_input_and_its_end(self) -> None:
        """What is written arrives, and then the end of file."""
        run = self.begin(Run("cat"))
        run.child.stdin.write(b"over and out")
        run.child.stdin.end()
        self.assertEqual(run.end(), "exit status 0")
        self.assertEqual(run.output.data, b"over and out")
        self.over(run)

    def test_errors_apart(self) -> None:
        """Standard error is told apart, to its last word."""
        run = self.begin(shell("echo out; echo err >&2"))
        run.end()
        self.assertEqual((run.output.data, run.errors.data), (b"out\n", b"err\n"))
        self.assertEqual(run.errors.ends, 1)

    def test_output_closed_early(self) -> None:
        """A program may have said all and still listen: it is not over."""
        run = self.begin(shell("exec >&-; read line; exit $line"))
        run.reactor.until(lambda: run.output.ends)
        waiting = run.child.wait()
        self.assertNoResult(waiting)
        run.child.stdin.write(b"5\n")
        self.assertEqual(run.end(), "exit status 5")
        self.assertEqual(self.successResultOf(waiting), Exit(5))

    def test_descendant_holds_the_output(self) -> None:
        """It is not over as long as somebody can write to the client."""
        run = self.begin(
            shell("exec 3<&0; { echo late; read line; echo $line; } <&3 & exit 4")
        )
        run.until_written(b"late\n")
        waiting = run.child.wait()
        run.reactor.until(lambda: not is_alive(run.child.pid))
        self.assertNoResult(waiting)
        run.child.stdin.write(b"later\n")
        self.assertEqual(run.end(), "exit status 4")
        self.assertEqual(run.output.data, b"late\nlater\n")
        self.over(run)

    def test_background_job_is_not_ours(self) -> None:
        """What was sent into the background with its output elsewhere lives on."""
        run = self.begin(shell("sleep 99 >/dev/null 2>&1 </dev/null & echo $!"))
        self.assertEqual(run.end(), "exit status 0")
        job = int(run.output.data)
        self.assertTrue(is_alive(job))
        os.kill(job, signal.SIGKILL)

    def test_hang_up(self) -> None:
        """To stop is SIGHUP for the whole group, and no SIGKILL if that is enough."""
        run = self.begin(shell("sleep 99 & echo $!; wait"))
        run.until_written(b"\n")
        run.child.stop()
        self.assertEqual(run.end(), "killed by SIGHUP")
        self.assertFalse(is_alive(int(run.output.data)))
        self.over(run)

    def test_last_words(self) -> None:
        """What a program writes when it is told to end still arrives."""
        run = self.begin(
            shell("trap 'echo bye; exit 1' HUP; echo on; while :; do :; done")
        )
        run.until_written(b"on\n")
        run.child.stop()
        self.assertEqual(run.end(), "exit status 1")
        self.assertEqual(run.output.data, b"on\nbye\n")

    def test_stopped_program_hangs_up(self) -> None:
        """A program that was stopped is continued, for it could not obey."""
        run = self.begin(shell("echo on; kill -STOP $$; cat"))
        run.until_written(b"on\n")
        os.waitid(os.P_PID, run.child.pid, os.WSTOPPED)
        run.child.stop()
        self.assertEqual(run.end(), "killed by SIGHUP")

    def test_kill_after(self) -> None:
        """Who does not obey is killed when the time is up, and not before."""
        run = self.begin(shell(STUBBORN, kill_after=5.0))
        run.until_written(b"on\n")
        run.child.stop()
        run.reactor.advance(4.9)
        run.reactor.turn(0.1)
        self.assertTrue(is_alive(run.child.pid))
        run.reactor.advance(0.2)
        self.assertEqual(run.end(), "killed by SIGKILL")
        self.over(run)

    def test_kill_reaches_who_is_left(self) -> None:
        """The group is killed although its leader has obeyed and gone."""
        run = self.begin(shell("(trap '' HUP; echo on; sleep 99) & wait"))
        run.until_written(b"on\n")
        run.child.stop()
        run.reactor.until(lambda: not is_alive(run.child.pid))
        waiting = run.child.wait()
        run.reactor.turn(0.1)
        self.assertNoResult(waiting)
        run.reactor.advance(5.0)
        self.assertEqual(run.end(), "killed by SIGHUP")
        self.over(run)

    def test_kill_with_the_output_held_elsewhere(self) -> None:
        """A descendant in a session of its own cannot make it last longer."""
        run = self.begin(shell("setsid sh -c 'echo $$; exec sleep 99' & wait"))
        run.until_written(b"\n")
        run.child.stop()
        run.reactor.until(lambda: not is_alive(run.child.pid))
        run.reactor.advance(5.0)
        self.assertEqual(run.end(), "killed by SIGHUP")
        os.kill(int(run.output.data), signal.SIGKILL)
        self.over(run)

    def test_max_time(self) -> None:
        """A program that runs too long is told to end, then made to."""
        run = self.begin(shell(STUBBORN, kill_after=2.0, max_time=60.0))
        run.until_written(b"on\n")
        run.reactor.advance(59.0)
        run.reactor.turn(0.1)
        self.assertTrue(is_alive(run.child.pid))
        run.reactor.advance(1.0)
        run.reactor.advance(2.0)
        waiting = run.child.wait()
        run.reactor.until(lambda: waiting.called)
        self.assertEqual(
            self.successResultOf(waiting), Exit(-signal.SIGKILL, late=True)
        )
        self.over(run)

    def test_max_time_not_reached(self) -> None:
        """A program that ends in time leaves no timer."""
        run = self.begin(Run("true", max_time=60.0))
        self.assertEqual(run.end(), "exit status 0")
        self.over(run)

    def test_nobody_wants_the_output(self) -> None:
        """With its output closed, the end of the process is the end."""
        run = self.begin(Run("cat"))
        run.child.stdout.stopProducing()
        self.assertEqual(run.output.ends, 1)
        run.child.stop()
        self.assertEqual(run.end(), "killed by SIGHUP")
        self.over(run)

    def test_signals_after_the_end(self) -> None:
        """Once waited for, its number may be another's: nothing is sent to it."""
        run = self.begin(Run("true"))
        run.end()
        self.patch(os, "killpg", self.fail)
        run.child.stop()
        run.child.kill()

    def test_signal_refused(self) -> None:
        """A group that has become another user's is named; one that is gone is not."""
        run = self.begin(Run("cat"))
        killpg, told = os.killpg, {PermissionError: 1, ProcessLookupError: 0}
        for fault, count in told.items():

            def refuse(group: int, number: int, fault: type[OSError] = fault) -> None:
                raise fault

            self.patch(os, "killpg", refuse)
            with capturedLogs() as events:
                run.child._signal(signal.SIGHUP)
            self.assertEqual([one["pid"] for one in events], [run.child.pid] * count)
        self.patch(os, "killpg", killpg)

    def test_waiting_is_cancelled(self) -> None:
        """Who waits no longer does not keep others from waiting."""
        run = self.begin(Run("cat"))
        first, second = run.child.wait(), run.child.wait()
        first.cancel()
        self.failureResultOf(first)
        run.child.stdin.end()
        run.end()
        self.assertEqual(self.successResultOf(second), Exit(0))
        self.assertEqual(self.successResultOf(run.child.wait()), Exit(0))

    def test_reactor_stops(self) -> None:
        """A program does not outlive the reactor, even if it ignores SIGHUP."""
        run = shell(STUBBORN)
        self.addCleanup(run.child._process.wait)
        run.until_written(b"on\n")
        for descriptor in run.reactor.removeAll():
            descriptor.connectionLost(None)
        found = os.waitid(os.P_PID, run.child.pid, os.WEXITED | os.WNOWAIT)
        assert found is not None
        self.assertEqual(found.si_status, signal.SIGKILL)
