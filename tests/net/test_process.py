"""Tests for L{portmux.net.process}: what a program finds when it starts."""

from __future__ import annotations

import os
import pwd
import resource
import signal
import socket
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

from portmux.net.child import Child
from portmux.net.preexec import credentials
from portmux.net.process import Command, Unstarted, start
from tests.net.polled import Polled
from tests.net.programs import Kept, Run, facts, shell

ROOT = os.geteuid() == 0


def descriptors(pid: int | str = "self") -> dict[int, str]:
    """@return: what each open descriptor of a process refers to."""
    found = {}
    for one in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(one)] = os.readlink(f"/proc/{pid}/fd/{one}")
        except FileNotFoundError:  # the listing's own
            continue
    return found


class StartTests(SynchronousTestCase):
    def begin(self, run: Run) -> Run:
        """Have the program killed whatever the test's end."""
        self.addCleanup(run.discard)
        return run

    def waiting(self, **options: object) -> int:
        """@return: the number of a program that waits for input."""
        run = self.begin(shell("echo on; cat", **options))
        run.reactor.until(lambda: run.output.data)
        return run.child.pid

    def test_descriptors(self) -> None:
        """The program holds 0, 1 and 2; no socket, and no pipe of another program."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        os.set_inheritable(server.fileno(), True)
        self.waiting()
        for terminal in (False, True):
            found = descriptors(self.waiting(terminal=terminal))
            self.assertEqual(sorted(found), [0, 1, 2])

    def test_pipes(self) -> None:
        """Without a terminal all three are pipes, each another."""
        found = descriptors(self.waiting())
        self.assertEqual([name[:5] for name in found.values()], ["pipe:"] * 3)
        self.assertEqual(len(set(found.values())), 3)

    def test_terminal(self) -> None:
        """Input and output are one terminal, which is the session's own."""
        run = self.begin(shell("tty; tty </dev/tty; stty -a", terminal=True))
        run.end()
        first, second, settings = run.output.data.split(b"\r\n", 2)
        self.assertRegex(first, rb"^/dev/pts/\d+$")
        self.assertEqual(second, b"/dev/tty")  # there is none without a session's own
        self.assertIn(b" icanon ", settings)
        self.assertIn(b" echo ", settings)

    def test_terminal_leaves_errors_alone(self) -> None:
        """Standard error is for the log, also with a terminal."""
        run = self.begin(shell("echo oops >&2", terminal=True))
        run.end()
        self.assertEqual((run.output.data, run.errors.data), (b"", b"oops\n"))

    def test_session(self) -> None:
        """It leads a session and a group: no Ctrl-C of ours reaches it."""
        pid = self.waiting()
        self.assertEqual((os.getsid(pid), os.getpgid(pid)), (pid, pid))

    def test_signals(self) -> None:
        """What we ignore or block, a program does not."""
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            self.addCleanup(
                signal.signal, number, signal.signal(number, signal.SIG_IGN)
            )
        old = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        self.addCleanup(signal.pthread_sigmask, signal.SIG_SETMASK, old)
        run = self.begin(Run("cat"))
        found = facts(run.child.pid)
        # 32 and 33 are the C library's own, and stay as whoever started us had them.
        ours = ~(1 << 31 | 1 << 32)
        ignored, blocked = (int(found[key], 16) & ours for key in ("SigIgn", "SigBlk"))
        self.assertEqual((ignored, blocked), (0, 0))

    def test_signals_without_preparation(self) -> None:
        """SIGPIPE, which Python ignores, is back in its default state."""
        run = self.begin(Run("cat"))
        self.assertEqual(int(facts(run.child.pid)["SigIgn"], 16) & (1 << 12), 0)

    def test_directory_and_environment(self) -> None:
        """Both are those that were asked for; C{PATH} is the program's own."""
        place = os.path.realpath(self.mktemp())
        os.mkdir(place)
        run = self.begin(
            Run(
                "sh",
                "-c",
                "pwd; env",
                directory=place,
                environment={"PATH": os.environ["PATH"], "COLOUR": "blue"},
            )
        )
        run.end()
        self.assertTrue(run.output.data.startswith(place.encode() + b"\n"))
        self.assertIn(b"COLOUR=blue\n", run.output.data)
        self.assertNotIn(b"HOME=", run.output.data)

    def test_limits(self) -> None:
        """They hold from the program's first instruction, soft and hard."""
        limits = (
            (resource.RLIMIT_AS, 1 << 28),
            (resource.RLIMIT_CPU, 7),
            (resource.RLIMIT_NOFILE, 32),
            (resource.RLIMIT_NPROC, 64),
        )
        pid = self.waiting(limits=limits)
        with open(f"/proc/{pid}/limits") as lines:
            found = {line[:26].strip(): line[26:].split()[:2] for line in lines}
        self.assertEqual(found["Max address space"], ["268435456"] * 2)
        self.assertEqual(found["Max cpu time"], ["7"] * 2)
        self.assertEqual(found["Max open files"], ["32"] * 2)
        self.assertEqual(found["Max processes"], ["64"] * 2)

    def test_limit_of_descriptors(self) -> None:
        """Not as ours is now, but as it was when we started."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
        run = self.begin(shell("ulimit -S -n; ulimit -H -n"))
        run.end()
        self.assertEqual(run.output.data.split(), [b"%d" % soft, b"%d" % hard])

    @skipUnless(ROOT, "needs root")
    def test_user(self) -> None:
        """It is another user in every respect, and owns its terminal."""
        nobody = pwd.getpwnam("nobody")
        run = self.begin(
            shell(
                "grep -E '^(Uid|Gid|Groups):' /proc/self/status; stat -c %u $(tty)",
                credentials=credentials("nobody", None),
                terminal=True,
            )
        )
        run.end()
        user, group = nobody.pw_uid, nobody.pw_gid
        groups = os.getgrouplist("nobody", group)
        self.assertEqual(
            run.output.data.decode().split(),
            f"Uid: {user} {user} {user} {user} Gid: {group} {group} {group} {group} "
            f"Groups: {' '.join(map(str, groups))} {user}".split(),
        )


class UnstartedTests(SynchronousTestCase):
    def refuse(self, *arguments: str, **options: object) -> str:
        """@return: why the program was not started; nothing else may be left."""
        before = descriptors()
        reactor, output = Polled(), Kept()
        command = Command(
            arguments=arguments,
            environment={"PATH": os.defpath},  # of which every folder may be searched
            **options,  # type: ignore[arg-type] # as the tests below know them
        )
        result = start(command, reactor, output, Kept())
        if isinstance(result, Child):
            result.kill()
        assert isinstance(result, Unstarted), result
        self.assertEqual(descriptors(), before)
        self.assertEqual((reactor.removeAll(), output.ends), ([], 0))
        return result.reason

    def test_no_such_program(self) -> None:
        """The reason names the program."""
        why = "No such file or directory: no-such-program"
        self.assertEqual(self.refuse("no-such-program"), why)
        self.assertEqual(self.refuse("no-such-program", terminal=True), why)

    def test_not_executable(self) -> None:
        """A file that is no program is told from one that is not there."""
        path = os.path.abspath(self.mktemp())
        with open(path, "w"):
            pass
        self.assertEqual(self.refuse(path), f"Permission denied: {path}")

    def test_no_such_directory(self) -> None:
        """The reason names the directory, not the program."""
        self.assertEqual(
            self.refuse("cat", directory="/no/such"),
            "No such file or directory: /no/such",
        )

    def test_octet_zero(self) -> None:
        """What no system call can take is refused like the rest."""
        self.assertEqual(self.refuse("echo", "\0"), "embedded null byte")

    @skipUnless(ROOT, "needs root")
    def test_limit_above_ours(self) -> None:
        """The reason says how much is allowed."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.addCleanup(os.seteuid, 0)
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
        reason = self.refuse("cat", limits=((resource.RLIMIT_NOFILE, hard + 1),))
        self.assertIn(f" {hard} ", reason)

    @skipUnless(ROOT, "needs root")
    def test_root_no_more(self) -> None:
        """Rights that were dropped since the start are missed in words."""
        self.addCleanup(os.seteuid, 0)
        nobody = credentials("nobody", None)
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
        reason = self.refuse("cat", credentials=nobody)
        self.assertIn("only root", reason)

    @skipUnless(ROOT, "needs root")
    def test_fault_in_the_child(self) -> None:
        """What fails between fork and exec is told in the system's words."""
        for most, told in ((1 << 40, "not allowed to raise"), (1 << 70, "too large")):
            reason = self.refuse("cat", limits=((resource.RLIMIT_NOFILE, most),))
            self.assertIn(told, reason)
