"""Tests for L{portmux.net.preexec}; what it does in a child: C{test_process}."""

from __future__ import annotations

import os
import pwd
import resource
import signal
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

from portmux.net.preexec import (
    Credentials,
    Preparation,
    credentials,
    excessive,
    ignored_signals,
    preparation,
)

ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody")


class CredentialsTests(SynchronousTestCase):
    def test_nobody_asked(self) -> None:
        """Without user and group nothing changes."""
        self.assertIsNone(credentials(None, None))

    def test_unknown_names(self) -> None:
        """The fault names what does not exist."""
        with self.assertRaisesRegex(ValueError, 'no user "nö such"'):
            credentials("nö such", None)
        with self.assertRaisesRegex(ValueError, 'no group "no-such"'):
            credentials(None, "no-such")

    @skipUnless(ROOT, "needs root")
    def test_user(self) -> None:
        """A user comes with the groups of its own, and none of ours."""
        groups = tuple(os.getgrouplist("nobody", NOBODY.pw_gid))
        self.assertEqual(
            credentials("nobody", None),
            Credentials(NOBODY.pw_uid, NOBODY.pw_gid, groups),
        )

    @skipUnless(ROOT, "needs root")
    def test_group(self) -> None:
        """A group alone leaves the user, and no other group."""
        self.assertEqual(credentials(None, "root"), Credentials(None, 0, ()))

    @skipUnless(ROOT, "needs root")
    def test_not_root(self) -> None:
        """Who may not change is told; who need not is let be."""
        self.addCleanup(os.seteuid, 0)
        self.addCleanup(os.setegid, 0)
        os.setegid(NOBODY.pw_gid)
        os.seteuid(NOBODY.pw_uid)
        self.assertIsNone(credentials("nobody", None))
        with self.assertRaisesRegex(ValueError, "only root"):
            credentials("root", None)


class ExcessiveTests(SynchronousTestCase):
    @skipUnless(ROOT, "needs root")
    def test_only_root_exceeds(self) -> None:
        """What is above our own hard limit is found before the child fails of it."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        limits = ((resource.RLIMIT_CPU, 5), (resource.RLIMIT_NOFILE, hard + 1))
        self.assertIsNone(excessive(limits))
        self.addCleanup(os.seteuid, 0)
        os.seteuid(NOBODY.pw_uid)
        self.assertEqual(excessive(limits), (resource.RLIMIT_NOFILE, hard))
        self.assertIsNone(excessive(limits[:1]))


class IgnoredSignalsTests(SynchronousTestCase):
    def test_ignored_ones_only(self) -> None:
        """A handler of ours, and what Popen sets back, are not among them."""
        for number, handler in (
            (signal.SIGUSR1, signal.SIG_IGN),
            (signal.SIGUSR2, lambda number, frame: None),
        ):
            old = signal.signal(number, handler)
            self.addCleanup(signal.signal, number, old)
        found = ignored_signals()
        self.assertIn(signal.SIGUSR1, found)
        self.assertNotIn(signal.SIGUSR2, found)
        self.assertNotIn(signal.SIGPIPE, found)


class PreparationTests(SynchronousTestCase):
    def test_nothing_to_do(self) -> None:
        """The usual child runs no code of ours before its program."""
        for number in ignored_signals():  # of whoever runs the tests
            old = signal.signal(number, signal.SIG_DFL)
            self.addCleanup(signal.signal, number, old)
        self.assertIsNone(preparation(False, (), None))

    def test_memory_last(self) -> None:
        """A limit below what we ourselves use now leaves room for the others."""
        files, memory = (resource.RLIMIT_NOFILE, 9), (resource.RLIMIT_AS, 1)
        made = preparation(False, (memory, files), None)
        assert made is not None
        self.assertEqual(made.limits, (files, memory))

    def test_descriptors_as_at_the_start(self) -> None:
        """A program gets the soft limit that portmux had before it raised its own."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
        made = preparation(False, (), None)
        assert made is not None
        self.assertEqual(made.files, soft)

    def test_blocked_signals(self) -> None:
        """A mask that we were started with is not handed on."""
        old = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        self.addCleanup(signal.pthread_sigmask, signal.SIG_SETMASK, old)
        made = preparation(False, (), None)
        assert made is not None
        self.assertTrue(made.unblock)

    def test_fault_is_written(self) -> None:
        """Standard error says what failed, as the caller of Popen cannot know."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        saved = os.dup(2)
        self.addCleanup(os.close, saved)
        os.dup2(writer, 2)
        os.close(writer)
        self.addCleanup(os.dup2, saved, 2)
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        with self.assertRaises((OSError, ValueError)):
            Preparation(limits=((resource.RLIMIT_NOFILE, -2),))()
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE)[0], soft)
        self.assertNotEqual(os.read(reader, 1000), b"")
