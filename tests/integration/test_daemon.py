"""Portmux as a process: how it starts, what signals do, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import tempfile
from pathlib import Path

from tests.integration.processes import (
    PATIENCE,
    PORTMUX,
    TWISTD,
    ProcessCase,
    Running,
    backend,
    connect,
    environment,
    exchange,
    has_ended,
    say,
    until,
)
from tests.sockets import is_reset, receive

ECHO = """\
listeners:
  front:
    bind: "127.0.0.1:0"
    routes:
      - {name: echo, match: {prefix: e}, echo: }
"""

TWO = """\
listeners:
  one: {bind: "127.0.0.1:0", echo: }
  two: {bind: "127.0.0.1:%d", echo: }
"""

FAULTY = """\
listeners:
  front:
    bind: "127.0.0.1:x"
    routes:
      - {name: ssh, match: shh, forward: "127.0.0.1:22"}
drain: soon
"""

ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def taken() -> socket.socket:
    """@return: a socket that listens, so that nobody else can."""
    return socket.create_server(("127.0.0.1", 0))


def read_until(descriptor: int, pattern: str) -> re.Match[str]:
    """@return: where the pattern stands in what is read."""
    text = ""
    while not (found := re.search(pattern, text)):
        part = os.read(descriptor, 4096)
        assert part, f"it ends with {text!r}"
        text += part.decode()
    return found


def ends(running: Running, count: int) -> list[str]:
    """@return: how so many sessions ended, by the records in the log."""
    found = [re.search(r" end=(\S+)", line) for line in running.records(count)]
    return [match[1] for match in found if match]


class ForegroundTests(ProcessCase):
    """C{portmux run}."""

    def test_serves_and_ends(self) -> None:
        """Status 0 after each of the three signals; nothing is left behind."""
        for number in ENDS:
            running = self.portmux(ECHO)
            self.assertEqual(exchange(running.port(), b"echo"), b"echo")
            running.tell(number)
            self.assertEqual(running.status(), 0)
            self.assertNotIn("Traceback", running.text())
        left = {one.name for one in self.folder.iterdir()}
        self.assertEqual(left, {"portmux.conf", "output.1", "output.2", "output.3"})

    def test_drain(self) -> None:
        """Live sessions go on, nobody new gets in, the last one's end is the end."""
        running = self.portmux(ECHO)
        port = running.port()
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(connect(port)) for _ in range(3)]
            for client in clients:
                say(client, b"e")
            running.tell(signal.SIGTERM)
            running.wait_for(r"draining 3 session\(s\); again to stop now")
            self.assertRaises(ConnectionRefusedError, connect, port)
            for client in clients:
                say(client, b"still")
        self.assertEqual(running.status(), 0)
        self.assertEqual(ends(running, 3), ["done"] * 3)

    def test_second_signal(self) -> None:
        """It cuts what is live, and each session has its record."""
        for number in ENDS:
            running = self.portmux(ECHO + "drain: none\n")
            with connect(running.port()) as client, connect(running.port()) as silent:
                say(client, b"e")
                running.tell(signal.SIGTERM)
                running.wait_for("draining 2 ")
                running.tell(number)
                self.assertEqual(running.status(), 0)
                self.assertTrue(is_reset(client))
                self.assertTrue(is_reset(silent))
            self.assertEqual(ends(running, 2), ["drained"] * 2)

    def test_many_signals(self) -> None:
        """Who is impatient harms nothing."""
        running = self.portmux(ECHO)
        for _ in range(20):
            with contextlib.suppress(ProcessLookupError):
                running.tell(signal.SIGTERM)
        self.assertEqual(running.status(), 0)
        self.assertNotIn("Traceback", running.text())
        self.assertNotIn("Unhandled", running.text())

    def test_drain_has_a_limit(self) -> None:
        """Nobody holds the end up for longer than that; records are written."""
        running = self.portmux(ECHO + "drain: 300ms\nlog: {access: access.log}\n")
        with connect(running.port()) as client:
            say(client, b"e")
            running.tell(signal.SIGTERM)
            self.assertEqual(running.status(), 0)
            self.assertTrue(is_reset(client))
        (line,) = (self.folder / "access.log").read_text().splitlines()
        self.assertIn(" end=drained", line)

    def test_drain_without_limit(self) -> None:
        """C{none} waits for as long as it takes."""
        running = self.portmux(ECHO + "drain: none\n")
        with connect(running.port()) as client:
            say(client, b"e")
            running.tell(signal.SIGTERM)
            running.wait_for("draining 1 ")
            self.assertFalse(has_ended(running.pid, 0.5))
            say(client, b"still")
        self.assertEqual(running.status(), 0)

    def test_programs_are_ended(self) -> None:
        """One that will not go is hung up, then killed; none is left over."""
        running = self.portmux(
            'listeners: {front: {bind: "127.0.0.1:0", exec: {command: [sh, -c,'
            " \"trap '' HUP; echo $$; while :; do sleep 1; done\"], kill-after: 1h}}}\n"
        )
        with connect(running.port()) as client:
            program = int(client.makefile().readline())
            running.tell(signal.SIGTERM)
            running.wait_for("draining 1 ")
            running.tell(signal.SIGTERM)
            self.assertEqual(running.status(), 0)
            self.assertTrue(has_ended(program, PATIENCE))
        self.assertEqual(ends(running, 1), ["drained"])

    def test_programs_have_their_time(self) -> None:
        """When the time to drain is over, C{kill-after} holds for them."""
        running = self.portmux(
            'listeners: {front: {bind: "127.0.0.1:0", exec: {command: [sh, -c,'
            " \"trap 'echo hup >>said' HUP; echo $$; while :; do sleep 0.01; done\"],"
            " kill-after: 300ms}}}\ndrain: 100ms\n"
        )
        with connect(running.port()) as client:
            program = int(client.makefile().readline())
            running.tell(signal.SIGTERM)
            self.assertEqual(running.status(), 0)
            self.assertTrue(has_ended(program, PATIENCE))
        self.assertEqual((self.folder / "said").read_text(), "hup\n")
        self.assertEqual(ends(running, 1), ["drained"])

    def test_usr1(self) -> None:
        """The access log goes on in a new file of the same name."""
        access = self.folder / "access.log"
        running = self.portmux(ECHO + "log: {access: access.log}\n")
        exchange(running.port(), b"e1")
        moved = access.rename(self.folder / "access.log.1")
        running.tell(signal.SIGUSR1)
        until(access.exists, running.text)
        exchange(running.port(), b"e2")
        running.tell(signal.SIGTERM)
        self.assertEqual(running.status(), 0)
        for file in (moved, access):
            self.assertEqual(file.read_text().count("session="), 1)

    def test_hup_while_it_starts(self) -> None:
        """It does not kill, and what changed after the file was read is not missed."""
        os.mkfifo(self.folder / "slow.conf")
        running = self.start(*PORTMUX, "run", "-c", "slow.conf")

        def feed(text: str) -> None:
            with (self.folder / "slow.conf").open("w") as file:  # waits for a reader
                running.tell(signal.SIGHUP)
                file.write(text)

        feed(ECHO)
        port = running.port()  # the first reading is over
        with (self.folder / "slow.conf").open("w") as file:
            file.write(ECHO.replace("match: {prefix: e}", "match: {prefix: n}"))
        running.wait_for("reloaded: 1")
        self.assertEqual(exchange(port, b"new"), b"new")

    def test_environment_and_settings(self) -> None:
        """Variables and --set count as they do for check."""
        running = self.portmux(
            ECHO,
            "--set",
            "listeners.front.sniff.timeout=7s",
            env=environment(PORTMUX__LOG__FORMAT="json"),
        )
        exchange(running.port(), b"e")
        running.wait_for('"session":1')
        for line in running.text().splitlines():
            self.assertIn("time", json.loads(line))

    def test_inherited_socket(self) -> None:
        """systemd's own way: the socket is there before the program is."""
        text = 'listeners: {front: {bind: "systemd:web", echo: }}\n'
        with taken() as given:
            port = given.getsockname()[1]

            def inherit() -> None:
                os.dup2(given.fileno(), 3)

            numbered = ("/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh")
            running = self.start(
                *numbered,
                *PORTMUX,
                "run",
                "-c",
                self.write(text),
                env=environment(LISTEN_FDS="1", LISTEN_FDNAMES="web"),
                preexec=inherit,
                keep=(3,),
            )
            running.started()
        self.assertEqual(exchange(port, b"x"), b"x")
        self.assertIn("reloaded: 1", running.reload())
        self.assertEqual(exchange(port, b"x"), b"x")
        status, _, said = self.call(*PORTMUX, "run", "-c", "portmux.conf")
        self.assertEqual(status, 1)
        self.assertIn("cannot listen on systemd:web: ", said)

    def test_level(self) -> None:
        """Messages below it are left out; records never are."""
        access = "log: {level: warn}\n"
        file = self.write(ECHO + access)
        running = self.start(*PORTMUX, "run", "-c", file)
        until(lambda: self.listening(running), running.text)
        exchange(self.listening(running), b"e")
        running.records(1)
        self.assertNotIn("info", running.text())

    def listening(self, running: Running) -> int:
        """@return: a port that a process listens on, by what the system knows."""
        sockets = {
            name.removeprefix("socket:[").removesuffix("]")
            for name in running.descriptors()
        }
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            (
                _,
                local,
                _,
                state,
                *_,
            ) = line.split()
            if state == "0A" and line.split()[9] in sockets:
                return int(local.partition(":")[2], 16)
        return 0


class RefusalTests(ProcessCase):
    """Starts that do not come about."""

    def refused(self, *command: str | Path, status: int) -> str:
        """@return: all that it said; no traceback is part of that."""
        found, out, errors = self.call(*command)
        self.assertEqual(found, status, out + errors)
        self.assertNotIn("Traceback", out + errors)
        return errors

    def test_address_in_use(self) -> None:
        """One line names it; other sockets and the pid file are gone."""
        with taken() as other:
            port = other.getsockname()[1]
            file = self.write(
                TWO % port + "pid: portmux.pid\nlog: {access: access.log}\n"
            )
            said = self.refused(*PORTMUX, "run", "-c", file, status=1)
        (line,) = [one for one in said.splitlines() if " info: " not in one]
        self.assertRegex(
            line,
            rf"\A\S+Z critical: cannot listen on 127\.0\.0\.1:{port}: address already",
        )
        self.assertFalse((self.folder / "portmux.pid").exists())

    def test_unix_socket_is_removed(self) -> None:
        """Also that of a listener which could be opened."""
        with taken() as other:
            text = (
                'listeners: {a: {bind: "unix:socket", echo: },'
                ' b: {bind: "127.0.0.1:%d", echo: }}\n'
            )
            file = self.write(text % other.getsockname()[1])
            self.refused(*PORTMUX, "run", "-c", file, status=1)
        self.assertFalse((self.folder / "socket").exists())

    def test_configuration_faults(self) -> None:
        """All of them and nothing else, whatever the program is started by."""
        file = self.write(FAULTY)
        for command in (
            (*PORTMUX, "run"),
            (*PORTMUX, "check"),
            (*TWISTD, "-n", "portmux"),
            (*TWISTD, "portmux"),
        ):
            lines = self.refused(*command, "-c", file, status=2).splitlines()
            self.assertEqual(len(lines), 3, lines)
            for line, place in zip(lines, ("3:11", "5:28", "6:8"), strict=True):
                self.assertTrue(line.startswith(f"{file}:{place}: "), line)
        self.assertEqual([one.name for one in self.folder.iterdir()], [file.name])

    def test_command_lines(self) -> None:
        """One line says what is wrong; how it is used may follow."""
        (self.folder / "folder").mkdir()
        for words, said in (
            (["-c", "gone"], "gone: cannot be read: no such file or directory"),
            (["-c", "folder"], "folder: cannot be read: is a directory"),
            (["--bogus"], "portmux.*--bogus.*"),
            (["extra"], "portmux.*extra.*"),
            (["-c"], "portmux.*-c.*"),
        ):
            for command in ((*PORTMUX, "run"), (*TWISTD, "-n", "portmux")):
                found = self.refused(*command, *words, status=2)
                self.assertRegex(found, rf"\A{said}\n(usage: (.*\n)+)?\Z")

    def test_unreadable_file(self) -> None:
        """Root can read it nevertheless."""
        if os.geteuid() == 0:
            file = self.folder / "link"
            file.symlink_to(file)
        else:
            file = self.write(ECHO)
            file.chmod(0)
        said = self.refused(*PORTMUX, "run", "-c", file, status=2)
        self.assertRegex(said, rf"\A{file}: cannot be read: [a-z ]+\n\Z")

    def test_daemon_address_in_use(self) -> None:
        """Whoever calls twistd learns why; the log has no traceback."""
        with taken() as other:
            port = other.getsockname()[1]
            file = self.write(TWO % port)
            own = ("--pidfile=daemon.pid", "--logfile=daemon.log")
            said = self.refused(*TWISTD, *own, "portmux", "-c", file, status=1)
        self.assertIn(f"cannot listen on 127.0.0.1:{port}: address already", said)
        log = (self.folder / "daemon.log").read_text()
        self.assertEqual(log.count(f"cannot listen on 127.0.0.1:{port}"), 1)
        self.assertNotIn("Traceback", log)
        self.assertFalse((self.folder / "daemon.pid").exists())

    def test_twistd_address_in_use(self) -> None:
        """With C{-n} the same, on standard error."""
        with taken() as other:
            port = other.getsockname()[1]
            file = self.write(TWO % port)
            own = ("-n", "--pidfile=twistd.pid")
            said = self.refused(*TWISTD, *own, "portmux", "-c", file, status=1)
        self.assertRegex(
            said,
            rf"\Aportmux: cannot listen on 127\.0\.0\.1:{port}: address already.*\n\Z",
        )
        self.assertFalse((self.folder / "twistd.pid").exists())


class PidFileTests(ProcessCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "portmux.pid"
        self.text = ECHO + "pid: portmux.pid\n"

    def test_life(self) -> None:
        """Decimal, for its owner only, there while it runs."""
        running = self.portmux(self.text)
        self.assertEqual(self.path.read_text(), str(running.pid))
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        running.tell(signal.SIGTERM)
        self.assertEqual(running.status(), 0)
        self.assertFalse(self.path.exists())

    def test_stale(self) -> None:
        """One of a process that was killed is no obstacle."""
        first = self.portmux(self.text)
        first.kill()
        self.assertEqual(self.path.read_text(), str(first.pid))
        second = self.portmux(self.text)
        self.assertEqual(self.path.read_text(), str(second.pid))

    def test_live(self) -> None:
        """Two do not run with one file; the first is not disturbed."""
        first = self.portmux(self.text)
        status, _, said = self.call(*PORTMUX, "run", "-c", "portmux.conf")
        self.assertEqual(status, 1)
        self.assertIn(f"portmux.pid belongs to process {first.pid}, which runs", said)
        self.assertNotIn("Traceback", said)
        self.assertEqual(self.path.read_text(), str(first.pid))
        self.assertEqual(exchange(first.port(), b"e"), b"e")

    def test_changed_by_hup(self) -> None:
        """The file follows its name; one that is taken changes nothing."""
        other = self.folder / "other.pid"
        running = self.portmux(self.text)
        self.write(ECHO + "pid: other.pid\n")
        self.assertIn("reloaded: 1", running.reload())
        self.assertEqual(other.read_text(), str(running.pid))
        self.assertFalse(self.path.exists())
        self.path.write_text(str(os.getpid()))
        self.write(self.text)
        self.assertIn("belongs to process", running.reload())
        self.assertEqual(other.read_text(), str(running.pid))
        self.assertEqual(self.path.read_text(), str(os.getpid()))

    def test_portsplit(self) -> None:
        """Files in its syntax have one as well, by C{portmux portsplit}."""
        with taken() as probe:
            port = probe.getsockname()[1]
        text = (
            f"bind = 127.0.0.1:{port}\npid = {self.path}\n"
            "[a]\nstring = a\nconnect = 127.0.0.1:%d\n"
        )
        with backend(b"A") as first, backend(b"B") as second:
            running = self.start(*PORTMUX, "portsplit", self.write(text % first))
            running.started()
            self.assertEqual(self.path.read_text(), str(running.pid))
            with connect(port) as client:
                client.sendall(b"a1")
                self.assertEqual(receive(client, 3), b"Aa1")
                self.write(text % second)
                self.assertIn("reloaded", running.reload())
                self.assertEqual(exchange(port, b"a2"), b"Ba2")
                say(client, b"a3")
            self.assertEqual(self.path.read_text(), str(running.pid))
            running.tell(signal.SIGTERM)
            self.assertEqual(running.status(), 0)
            self.assertFalse(self.path.exists())


class LogTests(ProcessCase):
    """Nobody reads the log, or nobody can write it: clients do not notice."""

    def served(self, port: int, count: int) -> None:
        """Have so many sessions leave their records."""
        for _ in range(count):
            self.assertEqual(exchange(port, b"echo"), b"echo")

    def test_terminal_goes_away(self) -> None:
        """Writing to a terminal without a window is an error each time."""
        master, slave = os.openpty()
        running = self.start(*PORTMUX, "run", "-c", self.write(ECHO), stderr=slave)
        os.close(slave)
        port = int(read_until(master, r"front listens on 127\.0\.0\.1:(\d+)")[1])
        self.served(port, 1)
        os.close(master)
        self.served(port, 5)
        running.tell(signal.SIGTERM)
        self.assertEqual(running.status(), 0)

    def test_reader_goes_away(self) -> None:
        """So is writing to a pipe without a reader."""
        reader, writer = os.pipe()
        running = self.start(*PORTMUX, "run", "-c", self.write(ECHO), stderr=writer)
        os.close(writer)
        port = int(read_until(reader, r"front listens on 127\.0\.0\.1:(\d+)")[1])
        os.close(reader)
        self.served(port, 5)
        running.tell(signal.SIGTERM)
        self.assertEqual(running.status(), 0)

    def test_reader_sleeps(self) -> None:
        """A pipe that nobody empties holds nobody up; what is lost is told later."""
        reader, writer = os.pipe()
        running = self.start(*PORTMUX, "run", "-c", self.write(ECHO), stderr=writer)
        os.close(writer)
        port = int(read_until(reader, r"front listens on 127\.0\.0\.1:(\d+)")[1])
        self.served(port, 600)  # a record has more than 128 octets, the pipe 64 KiB
        os.set_blocking(reader, False)
        text = b""

        def told() -> bool:
            nonlocal text
            with contextlib.suppress(BlockingIOError):
                text += os.read(reader, 1 << 20)
            self.served(port, 1)
            return b" of this log were lost\n" in text

        until(told, text.decode)
        found = re.search(rb"(\d+) line\(s\) of this log were lost", text)
        self.assertGreater(int(found[1]) if found else 0, 10)
        os.close(reader)
        running.tell(signal.SIGTERM)
        self.assertEqual(running.status(), 0)

    def test_no_standard_error(self) -> None:
        """When it was closed before, nothing of ours takes its place."""
        file = self.write(ECHO + "log: {access: access.log}\npid: pid\n")
        running = self.start(
            "/bin/sh",
            "-c",
            'exec "$@" 0<&- 1>&- 2>&-',
            "sh",
            *PORTMUX,
            "run",
            "-c",
            file,
        )
        until((self.folder / "pid").exists, running.text)
        streams = [os.readlink(f"/proc/{running.pid}/fd/{one}") for one in range(3)]
        self.assertEqual(streams, ["/dev/null"] * 3)
        running.tell(signal.SIGTERM)
        self.assertEqual(running.status(), 0)

    def test_full_disk(self) -> None:
        """It is said once; the program lives."""
        running = self.portmux(ECHO + "log: {access: /dev/full}\n")
        for _ in range(3):
            self.served(running.port(), 1)
            running.wait_for("cannot write /dev/full: no space left on device")
        running.tell(signal.SIGTERM)
        self.assertEqual(running.status(), 0)
        self.assertEqual(running.text().count("cannot write /dev/full"), 1)


class TwistdTests(ProcessCase):
    """C{twistd portmux}."""

    def test_foreground(self) -> None:
        """With C{-n} it serves, drains and ends with status 0, too."""
        running = self.start(*TWISTD, "-n", "portmux", "-c", self.write(ECHO))
        running.started()
        with connect(running.port()) as client:
            say(client, b"e")
            self.assertEqual((self.folder / "twistd.pid").read_text(), str(running.pid))
            running.tell(signal.SIGTERM)
            running.wait_for(r"draining 1 session\(s\)")
        self.assertEqual(running.status(), 0)
        self.assertIn(" end=done", running.text())
        self.assertFalse((self.folder / "twistd.pid").exists())

    def test_daemon(self) -> None:
        """It is nobody's child, writes its log, and ends as it is told."""
        running = self.daemon(ECHO)
        self.assertNotEqual(os.getsid(running.pid), os.getsid(0))
        with connect(running.port()) as client:
            say(client, b"e")
            self.write(ECHO.replace("prefix: e", "prefix: n"))
            self.assertIn("reloaded", running.reload())
            self.assertEqual(exchange(running.port(), b"new"), b"new")
            say(client, b"old")
            running.tell(signal.SIGTERM)
            running.wait_for("draining 1 ")
            running.tell(signal.SIGTERM)
            self.assertTrue(has_ended(running.pid, PATIENCE))
            self.assertTrue(is_reset(client))
        self.assertFalse((self.folder / "daemon.pid").exists())
        text = running.text()
        self.assertEqual(text.count("session="), 2)
        self.assertIn("end=drained", text)
        self.assertNotIn("Traceback", text)

    def test_usr1(self) -> None:
        """twistd turns its own log over, and the access log goes on in a new file."""
        running = self.daemon(ECHO + f"log: {{access: {self.folder}/access.log}}\n")
        port = running.port()
        access = self.folder / "access.log"
        access.rename(self.folder / "access.log.1")
        running.tell(signal.SIGUSR1)
        until((self.folder / "daemon.log.1").exists, running.text)
        until(access.exists, running.text)
        exchange(port, b"e")
        until(lambda: "session=" in access.read_text(), running.text)

    def test_umask(self) -> None:
        """Files of a daemon are its owner's alone, unless somebody says otherwise."""
        text = (
            'listeners: {front: {bind: ["127.0.0.1:0", "unix:socket"], echo: }}\n'
            "log: {access: access.log}\n"
        )
        for own, mode in (((), 0o600), (("--umask=022",), 0o640)):
            running = self.daemon(text, own)
            access = self.folder / "access.log"
            self.assertEqual(stat.S_IMODE(access.stat().st_mode), mode)
            socket_file = self.folder / "socket"
            self.assertEqual(stat.S_IMODE(socket_file.stat().st_mode), 0o600)
            running.tell(signal.SIGTERM)
            self.assertTrue(has_ended(running.pid, PATIENCE))
            access.unlink()

    def test_rundir(self) -> None:
        """Relative paths mean what they meant where twistd was called."""
        (self.folder / "elsewhere").mkdir()
        text = (
            'listeners: {front: {bind: ["127.0.0.1:0", "unix:socket"], echo: }}\n'
            "log: {access: access.log}\ninclude: [more.conf]\n"
        )
        self.write("drain: 1s\n", "more.conf")
        file = self.write(text)
        own = ("--rundir=elsewhere", "--logfile=daemon.log", "--pidfile=daemon.pid")
        status, out, errors = self.call(*TWISTD, *own, "portmux", "-c", file.name)
        self.assertEqual((status, out, errors), (0, "", ""))
        until((self.folder / "daemon.pid").exists, lambda: "no pid file")
        pid = int((self.folder / "daemon.pid").read_text())
        running = Running(pid, self.folder / "daemon.log")
        self.addCleanup(running.kill)
        running.started()
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), f"{self.folder}/elsewhere")
        self.assertEqual(list((self.folder / "elsewhere").iterdir()), [])
        self.assertTrue((self.folder / "access.log").exists())
        self.assertTrue((self.folder / "socket").exists())
        self.assertIn("reloaded", running.reload())

    def test_our_log(self) -> None:
        """C{--logger} has twistd write as portmux run does."""
        file = self.write(ECHO + "log: {format: json}\n")
        own = ("-n", "--pidfile=", "--logger=portmux.tap.output")
        running = self.start(*TWISTD, *own, "portmux", "-c", file)
        running.started()
        exchange(running.port(), b"e")
        running.wait_for('"session":1')
        for line in running.text().splitlines():
            self.assertIn("time", json.loads(line))


class RightsTests(ProcessCase):
    """C{twistd --uid}: what needs root is done before."""

    if os.geteuid() != 0:
        skip = "only root can give rights up"

    def setUp(self) -> None:
        super().setUp()
        if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) == 0:
            self.skipTest("every port is anybody's on this system")
        self.nobody = pwd.getpwnam("nobody")
        self.folder = Path(tempfile.mkdtemp())  # trial's is open to its owner only
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder)

    def privileged(self) -> int:
        """@return: a port that only root may have, and nobody has."""
        for port in range(1023, 512, -1):
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
        raise AssertionError("every privileged port is taken")

    def test_dropped(self) -> None:
        """It listens on a privileged port, without any privilege."""
        port = self.privileged()
        text = 'listeners: {front: {bind: "127.0.0.1:%d", echo: }}\n'
        own = (f"--uid={self.nobody.pw_uid}", f"--gid={self.nobody.pw_gid}")
        running = self.daemon(text % port, own)
        status = Path(f"/proc/{running.pid}/status").read_text()
        self.assertEqual(
            re.findall(r"^[UG]id:\s+(.*)$", status, re.M),
            [
                "\t".join([str(one)] * 4)
                for one in (self.nobody.pw_uid, self.nobody.pw_gid)
            ],
        )
        self.assertEqual(exchange(port, b"e"), b"e")

        self.write(text % self.privileged())
        self.assertRegex(
            running.reload(),
            r"not reloaded: cannot listen on 127\.0\.0\.1:\d+: permission denied",
        )
        self.assertEqual(exchange(port, b"e"), b"e")

        self.write(text % port).chmod(0)
        self.assertIn("not reloaded", running.reload())
        self.assertIn("cannot be read: permission denied", running.text())
        self.assertEqual(exchange(port, b"e"), b"e")

        self.write((text % port).replace("echo", "discard"))
        self.assertIn("reloaded: 1", running.reload())
        self.assertEqual(exchange(port, b"e"), b"")

    def test_effective_only(self) -> None:
        """C{--euid}: the way back to root stays open; all else works as without."""
        user = str(self.nobody.pw_uid)
        running = self.daemon(ECHO, (f"--uid={user}", "--euid"))
        status = Path(f"/proc/{running.pid}/status").read_text()
        found = re.search(r"^Uid:\s+(.*)$", status, re.M)
        assert found is not None
        self.assertEqual(found[1].split(), ["0", user, "0", user])
        self.assertEqual(exchange(running.port(), b"e"), b"e")
        self.assertIn("reloaded", running.reload())

    def test_chroot(self) -> None:
        """Names are those below the new root, also for what a reload reads."""
        jail = self.folder / "jail"
        for name in ("etc", "run"):
            (jail / name).mkdir(parents=True)
        for name in ("passwd", "group"):
            shutil.copy(f"/etc/{name}", jail / "etc" / name)
        text = (
            'listeners: {front: {bind: ["127.0.0.1:0", "unix:/run/socket"], echo: }}\n'
            "log: {access: /run/access.log}\n"
        )
        file = self.write(text)
        inside = jail / file.relative_to("/")
        inside.parent.mkdir(parents=True)
        inside.write_text(text)
        own = (f"--uid={self.nobody.pw_uid}", f"--gid={self.nobody.pw_gid}")
        given = ("-n", "--pidfile=", f"--chroot={jail}", *own)
        running = self.start(*TWISTD, *given, "portmux", "-c", str(file))
        running.started()
        self.assertEqual(os.readlink(f"/proc/{running.pid}/root"), str(jail))
        self.assertTrue((jail / "run" / "socket").is_socket())
        self.assertEqual(exchange(running.port(), b"e"), b"e")
        access = jail / "run" / "access.log"
        until(lambda: "session=1 " in access.read_text(), running.text)
        inside.write_text(text.replace("echo", "discard"))
        self.assertIn("reloaded", running.reload())
        self.assertEqual(exchange(running.port(), b"e"), b"")
