"""docs/howto/ssh-and-https.md: OpenSSH and curl, through one port."""

from __future__ import annotations

from tests.integration.processes import until
from tests.peers.cookbook import ANY, CookbookCase, words
from tests.peers.servers import Site, certificate, nginx, sshd
from tests.peers.stage import Ran, fields

SITE = "host.example.org"


class SshAndHttpsTests(CookbookCase):
    page = "ssh-and-https"

    def setUp(self) -> None:
        super().setUp()
        there, web = self.reserve(), self.reserve()
        self.ssh = sshd(self, there).login[:-1]
        certificate(self, "ca")
        certificate(self, SITE, "ca")
        nginx(self, Site(SITE, web, tls=True))
        changes = {
            "*:443": ANY,
            "127.0.0.1:22": f"127.0.0.1:{there}",
            "127.0.0.1:8443": f"127.0.0.1:{web}",
            "/var/log/portmux/access.log": "access.log",
        }
        self.port = self.front_of("portmux.conf", changes).port()

    def ends(self, count: int) -> list[tuple[str, str]]:
        """@return: route and end of each record, once there are so many."""
        log = self.folder / "access.log"
        until(lambda: log.exists() and len(log.read_text().splitlines()) >= count, str)
        records = [fields(line) for line in log.read_text().splitlines()]
        return [(record["route"], record["end"]) for record in records]

    def go_in(self) -> Ran:
        changes = {"ssh": words(*self.ssh), "443": self.port, SITE: "127.0.0.1"}
        line = "ssh -p 443 host.example.org"
        return self.typed(line, changes, b"echo $((6 * 7)); exit 3\n")

    def test_both(self) -> None:
        """The page's two commands: a shell there, and the page of the web server."""
        ran = self.go_in()
        self.assertEqual((ran.status, ran.out), (3, b"42\n"))
        there = ("--connect-to", f"::127.0.0.1:{self.port}", "--cacert", "ca.pem")
        curl = words("curl", "-q", "-sS", "--noproxy", "*", *there)
        (self.folder / SITE / "index.html").write_text("a page\n")
        ran = self.typed("curl https://host.example.org/", {"curl": curl})
        self.assertEqual(ran.checked(), b"a page\n")
        self.assertEqual(self.ends(2), [("ssh", "done"), ("web", "done")])

    def test_a_client_that_waits(self) -> None:
        """ssh-keyscan says nothing before the server does; it gets to sshd."""
        scan = ("-T", "30", "-t", "ed25519", "-p", str(self.port), "127.0.0.1")
        key = self.ask("ssh-keyscan", *scan).checked().split()[-1]
        self.assertIn(key, (self.folder / "host.pub").read_bytes())
        self.assertEqual(self.ends(1), [("silent", "done")])

    def test_twenty_that_fit_nothing(self) -> None:
        """From then on that source gets nothing, SSH included."""
        for _ in range(20):
            self.ask("nc", "-N", "127.0.0.1", str(self.port), data=b"?")
        self.assertNotEqual(self.go_in().status, 3)
        self.assertEqual(self.ends(21)[-1], ("-", "limit-ban"))
