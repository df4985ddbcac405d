"""Tests for L{portmux.net.listen}: sockets are opened, nobody connects."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

import portmux
from portmux.core.address import BindAddress, Host, Unix
from portmux.net.listen import BindError, Listening, adjust, listen, named, shut

ROOT = Path(portmux.__file__).parent.parent

HANDED = """
import fcntl, os, sys
from portmux.core.address import Inherited
from portmux.net.listen import BindError, Listening, adjust, listen, named, shut
handed = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 50) for number in sys.argv[1:4]]
for place, number in enumerate(handed, start=3):
    os.dup2(number, place, inheritable=False)
environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "3", **eval(sys.argv[4])}
for name in ("web", "mail", "unknown", "none"):
    before = len(os.listdir("/dev/fd"))
    try:
        found = listen(Listening(Inherited(name)), environ)
    except BindError as error:
        print(name, error)
        assert len(os.listdir("/dev/fd")) == before, "something is left open"
        continue
    print(name, *(named(sock) for sock in found))
    adjust(found, Listening(Inherited(name), keepalive=False))
    for sock in found:
        assert not sock.getblocking() and not os.get_inheritable(sock.fileno())
        shut(sock)
"""
"""Three sockets in the places where systemd leaves them, and what becomes of them."""


def device(sock: socket.socket) -> bytes:
    """@return: the interface that its clients must come in by."""
    name = sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
    return name.rstrip(b"\0")


class ListenCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.sockets: list[socket.socket] = []
        self.directory = tempfile.TemporaryDirectory()
        self.path = str(Path(self.directory.name) / "socket")

    def tearDown(self) -> None:
        for sock in self.sockets:
            sock.close()
        self.directory.cleanup()

    def listen(self, address: BindAddress, **options: object) -> list[socket.socket]:
        found = listen(Listening(address, **options), {})  # type: ignore[arg-type] # its
        self.sockets += found
        return found

    def refused(self, address: BindAddress, **options: object) -> str:
        """@return: why it cannot be opened."""
        before = os.listdir("/dev/fd")
        error = self.assertRaises(BindError, self.listen, address, **options)
        self.assertEqual(os.listdir("/dev/fd"), before)
        start = f"cannot listen on {address}: "
        self.assertTrue(str(error).startswith(start))
        return str(error).removeprefix(start)


class HostTests(ListenCase):
    def test_one_address(self) -> None:
        """Listening, non-blocking, closed on exec, with the options for clients."""
        (sock,) = self.listen(Host("127.0.0.1", 0))
        self.assertTrue(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        self.assertFalse(sock.getblocking())
        self.assertFalse(os.get_inheritable(sock.fileno()))
        self.assertTrue(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        self.assertTrue(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        self.assertEqual(named(sock), Host("127.0.0.1", sock.getsockname()[1]))

    def test_options(self) -> None:
        """They can be turned off, at once or later."""
        found = self.listen(Host("127.0.0.1", 0), keepalive=False, nodelay=False)
        for wanted in (False, True):
            for level, name in (
                (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                (socket.IPPROTO_TCP, socket.TCP_NODELAY),
            ):
                self.assertEqual(bool(found[0].getsockopt(level, name)), wanted)
            adjust(found, Listening(Host("127.0.0.1", 0)))

    def test_every_address(self) -> None:
        """Both families, on one port, each with a socket of its own."""
        found = self.listen(Host("*", 0))
        families = [sock.family for sock in found]
        self.assertEqual(families, [socket.AF_INET6, socket.AF_INET])
        hosts = [named(sock) for sock in found]
        port = found[0].getsockname()[1]
        self.assertEqual(hosts, [Host("::", port), Host("0.0.0.0", port)])

    def test_v6_only(self) -> None:
        """An IPv6 socket leaves the port's IPv4 side to others."""
        (four,) = self.listen(Host("0.0.0.0", 0))
        self.listen(Host("::", four.getsockname()[1]))

    def test_in_use(self) -> None:
        """By another program, or listed twice: nothing is left open."""
        (four,) = self.listen(Host("0.0.0.0", 0))
        port = four.getsockname()[1]
        why = self.refused(Host("*", port))
        self.assertIn("address already in use", why)
        self.listen(Host("::", port))

    def test_not_here(self) -> None:
        """An address of another machine."""
        why = self.refused(Host("192.0.2.1", 0))
        self.assertEqual(why, "cannot assign requested address")

    def test_name(self) -> None:
        """One that is none."""
        why = self.refused(Host("nowhere.invalid", 0))
        self.assertEqual(why, "the name does not resolve")

    def test_interface(self) -> None:
        """Only what there is."""
        self.assertIn(
            "no such device", self.refused(Host("127.0.0.1", 0), interface="x0")
        )
        found = self.listen(Host("127.0.0.1", 0), interface="lo")
        self.assertEqual(device(found[0]), b"lo")
        if os.geteuid() == 0:  # socket(7): others cannot take it back
            adjust(found, Listening(Host("127.0.0.1", 0)))
            self.assertEqual(device(found[0]), b"")

    def test_permission(self) -> None:
        """A low port as somebody who may not."""
        script = (
            "import os\n"
            "from portmux.core.address import Host\n"
            "from portmux.net.listen import BindError, Listening, listen\n"
            "'a'.encode('idna')\n"  # what getaddrinfo would still import
            "if os.geteuid() == 0: os.setuid(65534)\n"
            "low = int(open('/proc/sys/net/ipv4/ip_unprivileged_port_start').read())\n"
            "if low <= 1: raise SystemExit('everybody may, here')\n"
            "try: listen(Listening(Host('127.0.0.1', 1)), {})\n"
            "except BindError as error: print(error)\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True
        )
        if run.stderr == "everybody may, here\n":
            raise self.skipTest(run.stderr)
        self.assertIn("permission denied; ports below 1024 want root or", run.stdout)


class UnixTests(ListenCase):
    def mode(self) -> int:
        return stat.S_IMODE(os.stat(self.path).st_mode)

    def test_mode(self) -> None:
        """Nobody else's, unless it is said; whatever the umask is."""
        before = os.umask(0o027)
        self.addCleanup(os.umask, before)
        for mode, wanted in ((None, 0o600), (0o666, 0o666), (0o640, 0o640)):
            (sock,) = self.listen(Unix(self.path), mode=mode)
            self.assertEqual(self.mode(), wanted)
            self.assertEqual(named(sock), Unix(self.path))
            shut(sock)
            self.assertFalse(os.path.exists(self.path))
        self.assertEqual(os.umask(0o027), 0o027)

    def test_mode_later(self) -> None:
        """Also back to what it is without a word."""
        found = self.listen(Unix(self.path), mode=0o660)
        for mode, wanted in ((0o666, 0o666), (None, 0o600)):
            adjust(found, Listening(Unix(self.path), mode=mode))
            self.assertEqual(self.mode(), wanted)

    def test_owner(self) -> None:
        """Somebody of this system; nothing is left of a failure."""
        me = pwd.getpwuid(os.getuid()).pw_name
        self.listen(Unix(self.path), owner=me)
        self.assertEqual(os.stat(self.path).st_uid, os.getuid())
        shut(self.sockets.pop())
        for owner in ("nobody-like-that", ":no-group-like-that"):
            why = self.refused(Unix(self.path), owner=owner)
            self.assertEqual(why, f"no user or group {owner!r} here")
            self.assertFalse(os.path.exists(self.path))

    @skipUnless(os.geteuid() == 0, "needs root")
    def test_no_owner_later(self) -> None:
        """What is not said any more is as it was at first: user, group or both."""
        nobody = pwd.getpwnam("nobody")
        group = grp.getgrgid(nobody.pw_gid).gr_name
        first = os.geteuid(), os.getegid()
        found = self.listen(Unix(self.path), owner=f"nobody:{group}")
        for owner, wanted in (
            ("nobody", (nobody.pw_uid, first[1])),
            (f":{group}", (first[0], nobody.pw_gid)),
            (None, first),
        ):
            adjust(found, Listening(Unix(self.path), owner=owner))
            now = os.stat(self.path)
            self.assertEqual((now.st_uid, now.st_gid), wanted, owner)

    def test_owner_later(self) -> None:
        """What cannot be changed is told."""
        found = self.listen(Unix(self.path))
        wanted = Listening(Unix(self.path), owner="nobody-like-that")
        error = self.assertRaises(BindError, adjust, found, wanted)
        text = (
            f"cannot change unix:{self.path}: no user or group 'nobody-like-that' here"
        )
        self.assertEqual(str(error), text)

    def test_stale(self) -> None:
        """A file that nobody listens on any more gives way."""
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(self.path)
        self.listen(Unix(self.path))

    def test_in_use(self) -> None:
        """One that somebody listens on does not, even when its queue is full."""
        self.listen(Unix(self.path), backlog=0)
        waiting = socket.socket(socket.AF_UNIX)
        waiting.connect(self.path)
        self.sockets.append(waiting)
        self.assertIn("already in use", self.refused(Unix(self.path)))
        self.assertTrue(os.path.exists(self.path))

    def test_other_files(self) -> None:
        """They are never touched."""
        Path(self.path).write_text("precious")
        self.assertIn("already in use", self.refused(Unix(self.path)))
        self.assertEqual(Path(self.path).read_text(), "precious")

    def test_permission(self) -> None:
        """It is about the file, not about ports."""
        missing = Unix(self.path + "/socket")
        self.assertEqual(self.refused(missing), "no such file or directory")
        long = Unix("/tmp/" + "a" * 200)
        self.assertEqual(self.refused(long), "AF_UNIX path too long")
        script = (
            "import os, sys\n"
            "from portmux.core.address import Unix\n"
            "from portmux.net.listen import BindError, Listening, listen\n"
            "if os.geteuid() == 0: os.setuid(65534)\n"
            "try: listen(Listening(Unix(sys.argv[1])), {})\n"
            "except BindError as error: print(error)\n"
        )
        os.chmod(self.directory.name, 0o555)
        run = subprocess.run(
            [sys.executable, "-c", script, self.path],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        text = f"cannot listen on unix:{self.path}: permission denied\n"
        self.assertEqual(run.stdout, text)

    def test_shut_twice_removed(self) -> None:
        """Somebody else has removed the file: no matter."""
        (sock,) = self.listen(Unix(self.path))
        os.unlink(self.path)
        shut(sock)


class InheritedTests(ListenCase):
    """Sockets from systemd, sd_listen_fds(3)."""

    def handed(self, **environ: str) -> list[str]:
        """@return: what a process makes of a TCP, a unix and another TCP socket."""
        for _ in range(2):
            self.listen(Host("127.0.0.1", 0))
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(self.path)
        os.chmod(self.path, 0o666)
        self.sockets.insert(1, unix)
        numbers = [sock.fileno() for sock in self.sockets]
        run = subprocess.run(
            [sys.executable, "-c", HANDED, *map(str, numbers), repr(environ)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            pass_fds=numbers,
        )
        self.assertEqual((run.stderr, run.returncode), ("", 0))
        return run.stdout.splitlines()

    def names(self) -> list[str]:
        return [str(named(sock)) for sock in self.sockets]

    def test_by_name(self) -> None:
        """Each name has its sockets; their files stay, for they are systemd's."""
        lines = self.handed(LISTEN_FDNAMES="web:mail:web")
        first, second, third = self.names()
        self.assertEqual(lines[0], f"web {first} {third}")
        self.assertEqual(lines[1], f"mail {second}")
        self.assertEqual(
            lines[2],
            "unknown cannot listen on systemd:unknown: systemd handed over mail, web",
        )
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o666)

    def test_without_names(self) -> None:
        """They are called unknown."""
        lines = self.handed()
        self.assertEqual(lines[2], " ".join(["unknown", *self.names()]))

    def test_fewer_than_there_are(self) -> None:
        """Only what was counted is ours."""
        lines = self.handed(LISTEN_FDS="1", LISTEN_FDNAMES="web")
        self.assertEqual(lines[0], f"web {self.names()[0]}")
        self.assertIn("systemd handed over web", lines[1])

    def test_none(self) -> None:
        """That is told, too."""
        lines = self.handed(LISTEN_FDS="0")
        self.assertTrue(lines[0].endswith("systemd handed over none"))

    def test_for_another_process(self) -> None:
        """Before a fork, for one."""
        lines = self.handed(LISTEN_PID="1", LISTEN_FDNAMES="web:mail:web")
        self.assertIn("systemd handed no socket to this process", lines[0])

    def test_what_cannot_be_listened_on(self) -> None:
        """A socket of another type, or none at all, is a fault of the unit's."""
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        file = os.open("/dev/null", os.O_RDONLY)
        self.addCleanup(os.close, file)
        self.sockets.append(datagrams)
        numbers = [datagrams.fileno(), file, file]
        environ = {"LISTEN_FDNAMES": "web:mail:mail"}
        run = subprocess.run(
            [sys.executable, "-c", HANDED, *map(str, numbers), repr(environ)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            pass_fds=numbers[:2],
        )
        self.assertEqual(run.stderr, "")
        for line, name in zip(run.stdout.splitlines(), ("web", "mail"), strict=False):
            why = "cannot be listened on for connections"
            self.assertIn(f"{name} cannot listen on systemd:{name}: ", line)
            self.assertIn(why, line)
