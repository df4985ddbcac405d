"""What somebody new meets: each says what happened and what to do."""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import socket
import sys
from pathlib import Path
from pwd import getpwuid

from twisted.trial.unittest import SkipTest

from tests.integration.processes import PORTMUX, ProcessCase, backend, exchange

ECHO = "listeners: {front: {bind: '127.0.0.1:%d', echo: }}\n"

# @see: prctl(2), capabilities(7), setns(2)
_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH, _CAP_NET_BIND_SERVICE = 1, 2, 10
_CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def without_rights() -> None:
    """
    Called in a child: whoever runs the tests, root or not, it has no rights there.

    A capability that is dropped from the bounding set is gone with the next exec.
    """
    if os.geteuid() == 0:
        # A fresh network has the usual limit for ports, wherever the tests run.
        _libc.unshare(_CLONE_NEWNET)
        for right in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH, _CAP_NET_BIND_SERVICE):
            if _libc.prctl(_CAPBSET_DROP, right, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")


class FirstCase(ProcessCase):
    def said(
        self, *words: str | Path, bare: bool = False, expected: int = 2
    ) -> list[str]:
        """
        @param bare: as somebody who may do nothing special.
        @return: the lines on standard error.
        """
        how = {"preexec_fn": without_rights} if bare else {}
        status, out, errors = self.call(*PORTMUX, *words, **how)
        self.assertEqual((status, out), (expected, ""), errors)
        self.assertNotIn("Traceback", errors)
        return errors.splitlines()

    def refused(self, *words: str | Path, bare: bool = False) -> str:
        """@return: why it does not start, the one line that is not information."""
        lines = self.said("run", *words, bare=bare, expected=1)
        (line,) = [line for line in lines if " info: " not in line]
        return line


class CommandTests(FirstCase):
    def test_alone(self) -> None:
        """Which commands there are, and one to try."""
        first, second = self.said()
        self.assertIn("a command is needed; there are: check, ", first)
        self.assertIn("portmux run --listen", second)

    def test_first_try(self) -> None:
        """What is to be tried can be: its words are understood."""
        words = shlex.split(self.said()[1].partition(": ")[2])
        self.assertEqual(words[:2], ["portmux", "run"])
        self.assertEqual(words[2], "--listen")
        words[3] = "127.0.0.1:0"
        running = self.start(*PORTMUX, *words[1:])
        running.started()
        running.tell(signal.SIGTERM)
        self.assertEqual(running.status(), 0)

    def test_help(self) -> None:
        """On standard output, as it was asked for."""
        status, out, errors = self.call(*PORTMUX, "--help")
        self.assertEqual((status, errors), (0, ""))
        self.assertIn("explain", out)

    def test_version(self) -> None:
        """One line; the command has more."""
        status, out, errors = self.call(*PORTMUX, "--version")
        self.assertEqual((status, errors), (0, ""))
        self.assertEqual(len(out.splitlines()), 1)
        status, more, errors = self.call(*PORTMUX, "version")
        self.assertEqual((status, errors), (0, ""))
        self.assertTrue(more.startswith(out))
        self.assertIn(f"({sys.executable})", more)

    def test_unknown_command(self) -> None:
        """The one that was meant."""
        self.assertIn('did you mean "explain"?', self.said("explian")[0])


class FileTests(FirstCase):
    def test_missing(self) -> None:
        """Which file, and, where none was named, how to name one."""
        (line,) = self.said("run", "-c", "no/such.conf")
        self.assertTrue(line.startswith("no/such.conf: "))
        self.assertIn("no such file or directory", line)
        if not Path("/etc/portmux/portmux.conf").exists():
            (line,) = self.said("run")
            self.assertIn(
                "-c FILE gives another one, portmux run --listen needs none", line
            )

    def test_unreadable(self) -> None:
        """Who may not read it."""
        file = self.write(ECHO % 0)
        file.chmod(0)
        (line,) = self.said("check", "-c", file, bare=True)
        user = getpwuid(os.geteuid()).pw_name
        self.assertTrue(line.endswith(f"permission denied for user {user}"), line)

    def test_folder(self) -> None:
        """A folder is no file."""
        (line,) = self.said("check", "-c", self.folder)
        self.assertTrue(line.endswith("cannot be read: is a directory"), line)


class PortTests(FirstCase):
    def test_busy(self) -> None:
        """Which address, and how to find out who has it."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            line = self.refused("-c", self.write(ECHO % port))
        self.assertTrue(
            line.endswith(
                f"cannot listen on 127.0.0.1:{port}: address already in use;"
                " ss -lnp tells by whom"
            ),
            line,
        )

    def test_privileged(self) -> None:
        """Which right is missing."""
        first = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        if os.geteuid() != 0 and int(first.read_text()) <= 443:
            raise SkipTest("every user may listen on every port here")
        line = self.refused("--listen", ":443", "ssh=127.0.0.1:22", bare=True)
        self.assertIn("cannot listen on *:443: permission denied; ports below", line)
        self.assertIn("want root or CAP_NET_BIND_SERVICE", line)

    def test_address_of_another_machine(self) -> None:
        """It is named."""
        line = self.refused("--listen", "192.0.2.1:8443", "ssh=127.0.0.1:22")
        self.assertIn("cannot listen on 192.0.2.1:8443: cannot assign", line)


class ListenTests(FirstCase):
    def test_serves(self) -> None:
        """Without a file, by first bytes, and again after a reload."""
        with backend(b"ssh:") as ssh, backend(b"web:") as web:
            pairs = (f"ssh=127.0.0.1:{ssh}", f"http=127.0.0.1:{web}")
            listen = ("--listen", "127.0.0.1:0")
            running = self.start(*PORTMUX, "run", *listen, *pairs)
            port = running.port()
            for _ in range(2):
                self.assertEqual(exchange(port, b"SSH-2.0-x"), b"ssh:SSH-2.0-x")
                request = b"GET / HTTP/1.1\r\n\r\n"
                self.assertEqual(exchange(port, request), b"web:" + request)
                self.assertEqual(running.reload(), "reloaded: 1 listener(s)")

    def test_name_that_does_not_resolve(self) -> None:
        """The client's record names it; check --probe would have told."""
        running = self.start(
            *PORTMUX, "run", "--listen", "127.0.0.1:0", "ssh=no-such-host.invalid:22"
        )
        self.assertEqual(exchange(running.port(), b"SSH-2.0-x"), b"")
        (record,) = running.records(1)
        self.assertIn(" end=connect-failed ", record)
        self.assertIn("no-such-host.invalid does not resolve", record)
        conf = self.write(
            "listeners: {front: {bind: '127.0.0.1:0',"
            " forward: 'no-such-host.invalid:22'}}"
        )
        status, _, errors = self.call(*PORTMUX, "check", "-c", conf, "--probe")
        self.assertEqual(status, 1)
        self.assertIn("the name does not resolve", errors)

    def test_hint_in_the_record(self) -> None:
        """Bytes that no route fits can be explained by what the record says."""
        conf = self.write(
            "listeners: {front: {bind: '127.0.0.1:0', routes:"
            " [{name: ssh, match: ssh, echo: }]}}"
        )
        running = self.portmux(conf)
        self.assertEqual(exchange(running.port(), b"EHLO x\r\n"), b"")
        hint = running.wait_for(r'hint="explain with: portmux (explain [^"]*)"')[0]
        status, out, errors = self.call(*PORTMUX, *hint.split(), "-c", conf)
        self.assertEqual((status, errors), (0, ""))
        self.assertIn("no SSH identification starts with E", out)
        self.assertIn("no route wins (none-left), close", out)
