"""Tests for L{portmux.actions.execute}; what it does then: C{tests.net}."""

from __future__ import annotations

import os
import pwd
import resource
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

from portmux.actions.execute import Exec, ExecLimits, register
from portmux.config.decode import Decoder
from portmux.config.faults import Faults
from portmux.config.sources.yaml import fragment
from portmux.config.tree import Origin
from portmux.core.option import Octets, Seconds
from portmux.core.plan import Serving
from portmux.core.registry import Registry
from portmux.errors import ConfigError
from portmux.net.process import Command
from portmux.net.program import Runner

ROOT = os.geteuid() == 0


def decoded(text: str) -> Exec:
    """@raise ConfigError: the text has faults."""
    faults = Faults()
    node = fragment(Origin("test"), text, faults)
    assert node is not None
    found = Decoder(Registry(), faults).decode(Exec, node)
    faults.check()
    assert isinstance(found, Exec)
    return found


def planned(action: Exec) -> Command:
    """@return: what the action would run."""
    plan = action.plan()
    runner = getattr(plan.serve, "__self__", None)
    assert isinstance(runner, Runner)
    return runner.command


class DecodingTests(SynchronousTestCase):
    def faults(self, text: str) -> str:
        """@return: what is wrong with it."""
        return "\n".join(self.assertRaises(ConfigError, decoded, text).faults)

    def test_registered(self) -> None:
        """It is a kind of action, by the name of design and files."""
        registry = Registry()
        register(registry)
        self.assertIs(registry.actions["exec"], Exec)

    def test_command_alone(self) -> None:
        """A list is the command, and so is a single word."""
        self.assertEqual(decoded("[cat, /etc/motd]"), Exec(("cat", "/etc/motd")))
        self.assertEqual(decoded("cat"), Exec(("cat",)))

    def test_all_options(self) -> None:
        """Every option can be written."""
        action = decoded(
            "{command: [cat], pty: true, directory: /srv, user: nobody, group: root,"
            " environment: {LANG: C}, kill-after: 1s, max-time: 1m,"
            " limits: {cpu: 2s, memory: 1MiB, files: 20, processes: 5}}"
        )
        self.assertEqual(
            action,
            Exec(
                ("cat",),
                pty=True,
                directory="/srv",
                user="nobody",
                group="root",
                environment={"LANG": "C"},
                limits=ExecLimits(
                    cpu=Seconds(2), memory=Octets(1 << 20), files=20, processes=5
                ),
                kill_after=Seconds(1),
                max_time=Seconds(60),
            ),
        )

    def test_no_command(self) -> None:
        """There is nothing to run without one."""
        self.assertIn("command is missing", self.faults("{pty: true}"))
        self.assertIn("a program is missing", self.faults("[]"))
        self.assertIn("a program is missing", self.faults("['']"))

    def test_command_for_a_shell(self) -> None:
        """A whole command line gets told how it is written."""
        self.assertIn("[cat, /etc/motd]", self.faults("cat /etc/motd"))
        self.assertEqual(decoded("[echo, 'a b']").command, ("echo", "a b"))

    def test_program_with_a_blank(self) -> None:
        """A program of such a name is run all the same."""
        path = os.path.abspath(self.mktemp() + " x")
        with open(path, "w") as file:
            os.fchmod(file.fileno(), 0o755)
        self.assertEqual(decoded(f"'{path}'").command, (path,))

    def test_faults(self) -> None:
        """Each is told with what is allowed."""
        for option, told in {
            "directory: tmp": "a path that starts with / is",
            "user: no-such": 'there is no user "no-such"',
            "group: no-such": 'there is no group "no-such"',
            "environment: {'A=B': c}": "a name without = is allowed",
            "environment: {'': c}": "a name without = is allowed",
            "limits: {cpu: 0.5s}": "1 or more is allowed",
            "limits: {memory: 0}": "1 or more is allowed",
            "limits: {files: 3}": "4 or more is allowed",
            "limits: {processes: 0}": "1 or more is allowed",
            "max-time: 0": "more than 0 is",
        }.items():
            self.assertIn(told, self.faults(f"{{command: [cat], {option}}}"))


class PlanTests(SynchronousTestCase):
    def test_plan(self) -> None:
        """The plan adopts the connection, and says what it opens besides."""
        plan = Exec(("cat",)).plan()
        assert isinstance(plan, Serving)
        self.assertEqual((plan.name, plan.descriptors), ("exec", 4))

    def test_command(self) -> None:
        """The options arrive where programs are started."""
        command = planned(
            Exec(
                ("cat", "-n"),
                pty=True,
                directory="/",
                kill_after=Seconds(1),
                max_time=Seconds(9),
            )
        )
        self.assertEqual(
            (command.arguments, command.terminal, command.directory),
            (("cat", "-n"), True, "/"),
        )
        self.assertEqual((command.kill_after, command.max_time), (1.0, 9.0))
        self.assertEqual((command.limits, command.credentials), ((), None))

    def test_limits(self) -> None:
        """Only those that are set; processor time in the system's whole seconds."""
        limits = ExecLimits(
            cpu=Seconds(1.5), memory=Octets(4096), files=20, processes=5
        )
        self.assertEqual(
            set(planned(Exec(("cat",), limits=limits)).limits),
            {
                (resource.RLIMIT_CPU, 2),
                (resource.RLIMIT_AS, 4096),
                (resource.RLIMIT_NOFILE, 20),
                (resource.RLIMIT_NPROC, 5),
            },
        )

    def test_environment(self) -> None:
        """That of portmux, without what is for portmux alone, and the option's."""
        kept = {"FOO": "bar", "PORTMUX_MOTTO": "x", "LANG": "C"}
        dropped = ("PORTMUX__LOG__LEVEL", "LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET")
        given = dict.fromkeys((*dropped, "WATCHDOG_USEC", "LISTEN_FDNAMES"), "x")
        self.patch(os, "environ", {**kept, **given})
        found = planned(
            Exec(("env",), environment={"LANG": "de", "A": "b"})
        ).environment
        self.assertEqual(
            found, {"FOO": "bar", "PORTMUX_MOTTO": "x", "LANG": "de", "A": "b"}
        )

    @skipUnless(ROOT, "needs root")
    def test_environment_of_another_user(self) -> None:
        """Home and name are those of the user; the option has the last word."""
        nobody = pwd.getpwnam("nobody")
        found = planned(
            Exec(("env",), user="nobody", environment={"LOGNAME": "x"})
        ).environment
        self.assertEqual(
            (found["HOME"], found["USER"], found["LOGNAME"]),
            (nobody.pw_dir, "nobody", "x"),
        )

    @skipUnless(ROOT, "needs root")
    def test_user_without_root(self) -> None:
        """What cannot work is told at the start, not to each client."""
        self.addCleanup(os.seteuid, 0)
        action = Exec(("cat",), user="root")
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
        fault = self.assertRaises(ConfigError, action.plan)
        self.assertIn("exec cat: only root may", str(fault))
