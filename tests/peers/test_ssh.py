"""OpenSSH's client and server, with portmux between them."""

from __future__ import annotations

from tests.peers.servers import sshd
from tests.peers.stage import BULK, BULK_SUM, PeersCase

CONFIG = """
listeners:
  front:
    bind: "127.0.0.1:0"
    routes:
      - {name: ssh, match: ssh, forward: "127.0.0.1:${SSHD}"}
"""


class SshTests(PeersCase):
    """A session is as it would be without portmux."""

    def setUp(self) -> None:
        super().setUp()
        port = self.reserve()
        self.running = self.front(CONFIG, SSHD=port)
        here = f"-p{self.running.port()}"
        self.ssh = (*sshd(self, port).login, here)

    def test_a_command(self) -> None:
        """Input, both outputs and the status of a remote command arrive."""
        ran = self.ask(*self.ssh, "cat; echo broken >&2; exit 3", data=b"whole\n")
        self.assertEqual((ran.status, ran.out, ran.err), (3, b"whole\n", "broken\n"))
        record = self.record(self.running)
        self.assertEqual((record["route"], record["end"]), ("ssh", "done"))

    def test_much_to_the_server(self) -> None:
        """8 MiB arrive there as they were sent."""
        out = self.ask(*self.ssh, "sha256sum", data=BULK).checked()
        self.assertEqual(out.split()[0], BULK_SUM)
        self.assertGreater(int(self.record(self.running)["sent"]), len(BULK))

    def test_much_from_the_server(self) -> None:
        """8 MiB arrive here as they were sent."""
        (self.folder / "bulk").write_bytes(BULK)
        out = self.ask(*self.ssh, f"cat {self.folder}/bulk").checked()
        self.assertEqual(out, BULK)
        self.assertGreater(int(self.record(self.running)["received"]), len(BULK))

    def test_much_both_ways_at_once(self) -> None:
        """Neither direction waits for the other one."""
        self.assertEqual(self.ask(*self.ssh, "cat", data=BULK).checked(), BULK)

    def test_a_conversation(self) -> None:
        """A shell there: each line gets to it when it is said, and its answer back."""
        talk = self.talk(*self.ssh, "sh")
        for number in range(1, 6):
            talk.say(f"echo $(({number} * 7))\n".encode())
            talk.hear(b"%d\n" % (number * 7))
        talk.say(b"exit 4\n")
        talk.rest()
        self.assertEqual(talk.status(), 4)
