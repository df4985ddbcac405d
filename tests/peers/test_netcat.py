"""netcat: half-closes, silence, unix sockets, and the small actions."""

from __future__ import annotations

from tests.integration.processes import until
from tests.peers.servers import for_each_client, sshd
from tests.peers.stage import BULK, BULK_SUM, PeersCase, Ran

CONFIG = """
listeners:
  front:
    bind: "127.0.0.1:0"
    sniff: {timeout: 30s}
    routes:
      - {name: sum, match: {prefix: "sum"}, forward: "127.0.0.1:${SUM}"}
      - {name: exec, match: {prefix: "exec"}, exec: [sha256sum]}
      - {name: echo, match: {prefix: "echo"}, echo: }
      - {name: discard, match: {prefix: "discard"}, discard: }
      - {name: close, match: {prefix: "close"}, close: }
    fallback: {respond: "what?\\n"}
"""

SILENT = """
listeners:
  front:
    bind: "127.0.0.1:0"
    sniff: {timeout: 30s, silent: 200ms}
    routes:
      - {name: echo, match: {prefix: "echo"}, echo: }
    silent: {forward: "127.0.0.1:${SSHD}"}
"""

UNIX = """
listeners:
  front:
    bind: {address: "unix:front", mode: "0600"}
    routes:
      - {name: app, match: {prefix: "app"}, forward: "unix:app"}
      - {name: echo, match: always, echo: }
"""

BANNER = b"SSH-2.0-OpenSSH_"


class NetcatTests(PeersCase):
    """C{nc -N} ends its direction when its input ends, and waits for the answer."""

    def setUp(self) -> None:
        super().setUp()
        port = self.reserve()
        for_each_client(self, port, "sha256sum")
        self.running = self.front(CONFIG, SUM=port)

    def nc(self, data: bytes, *options: str) -> Ran:
        words = ("-N", *options, "127.0.0.1", str(self.running.port()))
        return self.ask("nc", *words, data=data)

    def end(self) -> str:
        """@return: how the first session has ended."""
        return self.record(self.running)["end"]

    def test_a_backend_that_answers_at_the_end(self) -> None:
        """The half-close reaches it, and its answer what is still open."""
        data = b"sum" + BULK
        self.assertEqual(len(self.nc(data).checked()), len(BULK_SUM) + len(b"  -\n"))
        record = self.record(self.running)
        self.assertEqual(record["sent"], str(len(data)))
        self.assertEqual((record["received"], record["end"]), ("68", "done"))

    def test_a_program_that_answers_at_the_end(self) -> None:
        """The same for one that we run: it gives the same sum."""
        expected = self.nc(b"sum" + BULK).checked()
        self.assertNotEqual(expected, self.nc(b"exec" + BULK).checked())
        itself = self.ask("sha256sum", data=b"exec" + BULK).checked()
        self.assertEqual(self.nc(b"exec" + BULK).checked(), itself)

    def test_echo(self) -> None:
        """8 MiB come back as they were sent."""
        self.assertEqual(self.nc(b"echo" + BULK).checked(), b"echo" + BULK)
        self.assertEqual(self.end(), "done")

    def test_discard(self) -> None:
        """8 MiB are taken, nothing comes back."""
        self.assertEqual(self.nc(b"discard" + BULK).checked(), b"")
        record = self.record(self.running)
        self.assertEqual(record["sent"], str(len(b"discard" + BULK)))
        self.assertEqual((record["received"], record["end"]), ("0", "done"))

    def test_close(self) -> None:
        """The end comes without a word, also to a client that has not finished."""
        talk = self.talk("nc", "127.0.0.1", str(self.running.port()))
        talk.say(b"close\n")
        self.assertEqual(self.end(), "closed")
        talk.finish()
        self.assertEqual(talk.rest(), b"")

    def test_nothing_fits(self) -> None:
        """The fallback speaks; its answer survives what the client sent too much."""
        self.assertEqual(self.nc(BULK).checked(), b"what?\n")

    def test_a_scan(self) -> None:
        """A client that looks whether the port is open says nothing and leaves."""
        self.nc(b"", "-z").checked()
        record = self.record(self.running)
        self.assertEqual((record["route"], record["cause"]), ("close", "eof"))


class SilentTests(PeersCase):
    """A client that waits gets a server that speaks first."""

    def setUp(self) -> None:
        super().setUp()
        port = self.reserve()
        sshd(self, port)
        self.running = self.front(SILENT, SSHD=port)
        self.nc = ("nc", "-N", "127.0.0.1", str(self.running.port()))

    def test_the_server_speaks_first(self) -> None:
        """sshd's banner comes unasked; what is said then gets to sshd."""
        talk = self.talk(*self.nc)
        talk.hear(BANNER)
        talk.say(b"good day\n")
        talk.hear(b"Invalid SSH identification string.\r\n")
        talk.finish()
        record = self.record(self.running)
        self.assertEqual((record["route"], record["cause"]), ("silent", "silent"))
        self.assertEqual(record["sent"], "9")

    def test_who_speaks_is_not_silent(self) -> None:
        """One byte is enough to be waited for; the rest may take its time."""
        talk = self.talk(*self.nc)
        talk.say(b"e")
        waiting = self.talk(*self.nc)
        waiting.hear(BANNER)  # it came later, and its silence was long enough
        talk.say(b"cho\n")
        talk.hear(b"echo\n")
        talk.finish()
        self.assertEqual(talk.rest(), b"")


class UnixTests(PeersCase):
    """Sockets of the file system, before and behind portmux."""

    def setUp(self) -> None:
        super().setUp()
        self.running = self.front(UNIX)

    def test_a_listener(self) -> None:
        """A client of C{nc -U} is one like any other; the socket has its mode."""
        ran = self.ask("nc", "-N", "-U", "front", data=b"hello\n")
        self.assertEqual(ran.checked(), b"hello\n")
        self.assertEqual((self.folder / "front").stat().st_mode & 0o777, 0o600)
        record = self.record(self.running)
        self.assertEqual((record["route"], record["local"]), ("echo", "unix:front"))

    def test_a_backend(self) -> None:
        """C{nc -lU} gets what was sniffed too, and answers."""
        server = self.talk("nc", "-l", "-N", "-U", "app")
        until((self.folder / "app").exists, lambda: "no socket")
        client = self.talk("nc", "-N", "-U", "front")
        client.say(b"app one\n")
        server.hear(b"app one\n")
        server.say(b"two\n")
        client.hear(b"two\n")
        client.finish()
        server.finish()
        self.assertEqual((client.rest(), server.rest()), (b"", b""))
        record = self.record(self.running)
        self.assertEqual((record["backend"], record["end"]), ("unix:app", "done"))
