"""docs/howto/server-first.md: mail by curl, which waits for the server's greeting."""

from __future__ import annotations

from tests.integration.processes import Foreground
from tests.peers.cookbook import ANY, CookbookCase
from tests.peers.servers import Site, for_each_client, mail_server, nginx, sshd
from tests.peers.stage import Ran

NEAR, FAR = "127.0.0.1", "127.0.0.2"


class ServerFirstTests(CookbookCase):
    page = "server-first"

    def setUp(self) -> None:
        super().setUp()
        self.mail, self.web = self.reserve(), self.reserve()
        self.server = mail_server(self, self.mail)
        nginx(self, Site("www.test", self.web, tls=True))
        self.changes = {
            "*:443": ANY,
            "127.0.0.1:25": f"127.0.0.1:{self.mail}",
            "127.0.0.1:8443": f"127.0.0.1:{self.web}",
        }

    def curl(self, running: Foreground, *words: str) -> Ran:
        lead = ("--connect-to", f"::127.0.0.1:{running.port()}", "--noproxy", "*")
        return self.ask("curl", "-q", "-sS", *lead, *words)

    def send(self, running: Foreground, subject: str, source: str = NEAR) -> None:
        """Send a mail, which has to arrive."""
        self.write(f"Subject: {subject}\n\nWords.\n", "mail")
        who = ("--mail-from", "a@one.test", "--mail-rcpt", "b@two.test")
        words = ("--interface", source, "-T", "mail", *who, "smtp://mail.test")
        self.curl(running, *words).checked()
        self.server.wait_for(f"Subject: {subject}")

    def look_at_the_page(self, running: Foreground) -> None:
        page = self.curl(running, "-k", "https://www.test/name").checked()
        self.assertEqual(page, b"www.test by HTTP/1.1\n")

    def test_one(self) -> None:
        """Silence is mail; the web and SSH are as ever."""
        there = self.reserve()
        ssh = sshd(self, there).login
        changes = {**self.changes, "127.0.0.1:22": f"127.0.0.1:{there}"}
        running = self.front_of("portmux.conf", changes)
        self.send(running, "through silence")
        self.look_at_the_page(running)
        said = self.ask(*ssh, f"-p{running.port()}", "echo there").checked()
        self.assertEqual(said, b"there\n")
        records = [self.record(running, n) for n in (1, 2, 3)]
        self.assertEqual([one["route"] for one in records], ["silent", "web", "ssh"])
        self.assertGreaterEqual(float(records[0]["sniffed"]), 0.5)

    def test_two(self) -> None:
        """Two that greet are told apart by where the client comes from."""
        database = self.reserve()
        for_each_client(self, database, "echo database ready")
        changes = {
            **self.changes,
            "10.0.0.0/8": f"{FAR}/32",
            "127.0.0.1:3306": f"127.0.0.1:{database}",
        }
        running = self.front_of("two.conf", changes)
        self.send(running, "from elsewhere")
        there = ("127.0.0.1", str(running.port()))
        said = self.ask("nc", "-d", "-s", FAR, *there).checked()
        self.assertEqual(said, b"database ready\n")
        self.look_at_the_page(running)
        routes = [self.record(running, n)["route"] for n in (1, 2, 3)]
        self.assertEqual(routes, ["mail", "database", "web"])
