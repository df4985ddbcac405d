"""docs/howto/from-haproxy.md: a real HAProxy and portmux, with the same clients."""

from __future__ import annotations

from tests.peers.cookbook import ANY, CookbookCase
from tests.peers.servers import Site, certificate, haproxy, mail_server, nginx, sshd

GIT, WEB = "git.example.org", "www.example.org"
OFFICE, ELSEWHERE = "127.0.0.2", "127.0.0.3"


class FromHaproxyTests(CookbookCase):
    """What one file does, the other one does. The first git server is down."""

    page = "from-haproxy"

    def setUp(self) -> None:
        super().setUp()
        names = ("ssh", "down", GIT, WEB, "mail")
        ports = {name: self.reserve() for name in names}
        self.ssh = sshd(self, ports["ssh"]).login
        certificate(self, "ca")
        for name in (GIT, WEB):
            certificate(self, name, "ca")
        nginx(self, *(Site(name, ports[name], tls=True) for name in (GIT, WEB)))
        self.mail = mail_server(self, ports["mail"])
        there = {
            "127.0.0.1:22": "ssh",
            "10.0.0.5:443": "down",
            "10.0.0.6:443": GIT,
            "127.0.0.1:8443": WEB,
            "127.0.0.1:25": "mail",
        }
        places = {old: f"127.0.0.1:{ports[name]}" for old, name in there.items()}
        self.changes = {"192.168.0.0/16": f"{OFFICE}/32", **places}

    def test_haproxy(self) -> None:
        port = self.reserve()
        changes = {**self.changes, "bind :443": f"bind 127.0.0.1:{port}"}
        running = haproxy(self, self.shown("haproxy.cfg", changes), port)
        running.wait_for("Server git/one is DOWN")
        self.visit(port)

    def test_portmux(self) -> None:
        running = self.front_of("portmux.conf", {**self.changes, "*:443": ANY})
        self.visit(running.port())
        records = [self.record(running, number) for number in range(1, 6)]
        ways = ["ssh", "git", "web", "fallback", "silent"]
        self.assertEqual([one["route"] for one in records], ways)
        self.assertEqual(records[1]["attempts"], "2")

    def visit(self, port: int) -> None:
        """Each client gets to its server, SSH only from the office."""
        said = self.ask(*self.ssh, f"-p{port}", f"-b{OFFICE}", "echo there").checked()
        self.assertEqual(said, b"there\n")
        lead = ("--connect-to", f"::127.0.0.1:{port}", "--noproxy", "*")
        curl = ("curl", "-q", "-sS", "--cacert", "ca.pem", *lead)
        for name in (GIT, WEB):
            page = self.ask(*curl, f"https://{name}/name").checked()
            self.assertEqual(page, f"{name} by HTTP/1.1\n".encode())
        talk = self.talk("nc", "-s", ELSEWHERE, "127.0.0.1", str(port))
        talk.say(b"SSH-2.0-somebody\r\n")
        talk.hear(b"220 ")
        talk.hear(b"500 ")
        talk.stop()
        self.write("Subject: silence\n\nWords.\n", "mail")
        who = ("--mail-from", "a@one.test", "--mail-rcpt", "b@two.test")
        self.ask(*curl, "-T", "mail", *who, "smtp://mail.test").checked()
        self.mail.wait_for("Subject: silence")
