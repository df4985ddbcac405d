"""openssl's client and server: every shape of ClientHello, and how TLS ends."""

from __future__ import annotations

from collections.abc import Sequence

from tests.peers.servers import tls_server
from tests.peers.stage import PeersCase, Ran

CONFIG = """
listeners:
  front:
    bind: "127.0.0.1:0"
    routes:
      - name: chat
        match: {tls: {sni: one.test, alpn: [chat, talk]}}
        forward: "127.0.0.1:${CHAT}"
      - {name: one, match: {tls: {sni: one.test}}, forward: "127.0.0.1:${ONE}"}
      - {name: bare, match: tls, forward: "127.0.0.1:${BARE}"}
"""

LONG_ALPN = ",".join(f"protocol-{number:03}" for number in range(100))
"""1,300 octets of a hello; with records of 512 it needs several."""


class OpensslTests(PeersCase):
    """
    The server sends lines back in reverse, so an answer has been there.

    Which one it was, its certificate says: all of them are told from each
    other by the name in it.
    """

    def setUp(self) -> None:
        super().setUp()
        names = ("CHAT", "ONE", "BARE")
        self.ports = {name: self.reserve() for name in names}
        self.running = self.front(CONFIG, **self.ports)

    def server(self, name: str, options: Sequence[str] = ()) -> None:
        """Start the backend of a route, with a certificate of that name."""
        tls_server(self, self.ports[name.upper()], name, options)

    def client(self, *options: str) -> Ran:
        """@return: a client that sends one line, gets it back, and is told the end."""
        return self.connected("-connect", f"127.0.0.1:{self.running.port()}", *options)

    def connected(self, *options: str) -> Ran:
        words = ("s_client", "-ign_eof", *options)
        return self.ask("openssl", *words, data=b"drawer\nCLOSE\n")

    def check(self, ran: Ran, name: str, *also: str) -> None:
        """It was that server, and the line has been there and back."""
        said = ran.checked().decode()
        for part in (f"subject=CN = {name}\n", "\nreward\n", *also):
            self.assertIn(part, said)

    def test_versions(self) -> None:
        """Both versions of TLS that are in use, by their own hello."""
        self.server("one")
        for option, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            ran = self.client("-servername", "one.test", option)
            self.check(ran, "one", f"New, {name}, Cipher is ")
        for number in (1, 2):
            record = self.record(self.running, number)
            self.assertEqual((record["route"], record["end"]), ("one", "done"))

    def test_alpn(self) -> None:
        """A protocol that is asked for, as the second of three, decides."""
        self.server("chat", ("-alpn", "talk"))
        self.server("one")
        ran = self.client("-servername", "one.test", "-alpn", "news,talk,mail")
        self.check(ran, "chat", "ALPN protocol: talk\n")
        ran = self.client("-servername", "one.test", "-alpn", "news,mail")
        self.check(ran, "one", "No ALPN negotiated\n")

    def test_no_name(self) -> None:
        """A hello without a name goes where any TLS goes."""
        self.server("bare")
        for option in ("-tls1_2", "-tls1_3"):
            self.check(self.client("-noservername", option), "bare")
        self.assertEqual(self.record(self.running)["route"], "bare")

    def test_another_name(self) -> None:
        """So does one with a name that no route has."""
        self.server("bare")
        self.check(self.client("-servername", "two.test"), "bare")
        self.assertEqual(self.record(self.running)["sni"], "two.test")

    def test_a_hello_of_several_records(self) -> None:
        """The client cuts its hello into records of 512 octets; we put it together."""
        self.server("one")
        words = ("-servername", "one.test", "-alpn", LONG_ALPN, "-max_send_frag", "512")
        full = "    16 03 01 02 00\n"  # handshake, TLS 1.0 for old servers, 512 octets
        self.check(self.client(*words, "-msg"), "one", full)

    def test_a_hello_in_drops(self) -> None:
        """Eight octets at a time, each in a segment of its own."""
        self.server("one")
        there = f"TCP:127.0.0.1:{self.running.port()},nodelay"
        dropper = ("socat", "-b8", "UNIX-LISTEN:drops,fork", there)
        self.serve((self.folder / "drops").exists, *dropper)
        for option in ("-tls1_2", "-tls1_3"):
            ran = self.connected("-unix", "drops", "-servername", "one.test", option)
            self.check(ran, "one")

    def test_a_session_that_goes_on_later(self) -> None:
        """A hello with a ticket, which is some hundred octets longer."""
        self.server("one")
        name = ("-servername", "one.test")
        self.check(self.client(*name, "-sess_out", "ticket"), "one")
        self.check(self.client(*name, "-sess_in", "ticket"), "one", "Reused, TLSv1.3")

    def test_a_client_that_just_leaves(self) -> None:
        """It ends by close_notify and FIN; the session ends in order."""
        self.server("one")
        port = self.running.port()
        words = ("-connect", f"127.0.0.1:{port}", "-servername", "one.test")
        self.ask("openssl", "s_client", *words, data=b"Q\n").checked()
        self.assertEqual(self.record(self.running)["end"], "done")
