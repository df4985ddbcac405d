"""docs/howto/behind-haproxy.md: ssh and curl through portmux and a real HAProxy."""

from __future__ import annotations

from tests.integration.processes import Foreground
from tests.peers.cookbook import ANY, CookbookCase, words
from tests.peers.servers import Site, certificate, haproxy, mail_server, nginx, sshd
from tests.peers.stage import Ran

SITE = "host.example.org"


class HaproxyCase(CookbookCase):
    """What is behind both: sshd and a web server."""

    page = "behind-haproxy"

    def setUp(self) -> None:
        super().setUp()
        self.there, self.web = self.reserve(), self.reserve()
        self.ssh = sshd(self, self.there).login[:-1]
        nginx(self, Site(SITE, self.web))
        (self.folder / SITE / "index.html").write_text("a page\n")

    def go_in(self, port: int) -> Ran:
        changes = {"ssh": words(*self.ssh), "443": port, SITE: "127.0.0.1"}
        return self.typed("ssh -p 443 host.example.org", changes, b"echo $((6 * 7))\n")

    def look(self, url: str, port: int) -> None:
        lead = ("--noproxy", "*", "--connect-to", f"::127.0.0.1:{port}")
        curl = words("curl", "-q", "-sS", "--cacert", "ca.pem", *lead)
        page = self.typed(f"curl {url}", {"curl": curl}).checked()
        self.assertEqual(page, b"a page\n")


class BehindTests(HaproxyCase):
    """The client, HAProxy, portmux, the server."""

    def start_both(self, *options: str) -> tuple[Foreground, Foreground, int]:
        """@return: HAProxy, portmux, and the port of the first."""
        mail, port = self.reserve(), self.reserve()
        mail_server(self, mail)
        changes = {
            "127.0.0.1:8443": ANY,
            "127.0.0.1:22": f"127.0.0.1:{self.there}",
            "127.0.0.1:8080": f"127.0.0.1:{self.web}",
            "127.0.0.1:25": f"127.0.0.1:{mail}",
        }
        inner = self.front_of("portmux.conf", changes, *options)
        text = self.shown(
            "haproxy.cfg",
            {
                "/dev/log": "stdout format raw",
                ":443": f"127.0.0.1:{port}",
                "127.0.0.1:8443": f"127.0.0.1:{inner.port()}",
            },
        )
        return haproxy(self, text, port), inner, port

    def test_clients(self) -> None:
        """All three get there; the two logs fit together."""
        outer, inner, port = self.start_both()
        self.assertEqual(self.go_in(port).checked(), b"42\n")
        self.look("http://host.example.org:443/", port)
        lead = ("--noproxy", "*", "--connect-to", f"::127.0.0.1:{port}")
        who = ("--mail-from", "a@one.test", "--mail-rcpt", "b@two.test")
        self.write("Subject: one\n\nWords.\n", "mail")
        curl = ("curl", "-q", "-sS", *lead, "-T", "mail", *who)
        self.ask(*curl, "smtp://mail.test").checked()
        records = [self.record(inner, number) for number in (1, 2, 3)]
        self.assertEqual([one["route"] for one in records], ["ssh", "web", "silent"])
        told = outer.wait_for(r"client=\S+ to-portmux=(\S+)", 3)
        self.assertEqual(sorted(told), sorted(one["client"] for one in records))

    def test_a_limit_of_sources(self) -> None:
        """Why to leave it out: all clients are one source."""
        limit = "listeners.front.limits.per-source=1"
        _, inner, port = self.start_both("--set", limit)
        first = self.talk("nc", "-s", "127.0.0.2", "127.0.0.1", str(port))
        first.say(b"SSH-2.0-one\r\n")
        first.hear(b"SSH-2.0-OpenSSH")
        second = ("nc", "-s", "127.0.0.3", "127.0.0.1", str(port))
        self.assertEqual(self.ask(*second, data=b"SSH-2.0-two\r\n").out, b"")
        self.assertEqual(self.record(inner)["end"], "limit-per-source")


class BeforeTests(HaproxyCase):
    """The client, portmux, HAProxy, the server."""

    def test_clients(self) -> None:
        """HAProxy ends TLS; portmux sees who comes."""
        port = self.reserve()
        certificate(self, "ca")
        made = certificate(self, SITE, "ca")
        key = (self.folder / f"{SITE}.key").read_text()
        changes = {
            "127.0.0.1:8443": f"127.0.0.1:{port}",
            "127.0.0.1:8080": f"127.0.0.1:{self.web}",
            "/etc/haproxy/site.pem": self.write(made.read_text() + key, "site.pem"),
        }
        haproxy(self, self.shown("tls.cfg", changes), port)
        changes = {
            "*:443": ANY,
            "127.0.0.1:22": f"127.0.0.1:{self.there}",
            "127.0.0.1:8443": f"127.0.0.1:{port}",
        }
        running = self.front_of("front.conf", changes)
        self.look("https://host.example.org/", running.port())
        self.assertEqual(self.go_in(running.port()).checked(), b"42\n")
        routes = [self.record(running, number)["route"] for number in (1, 2)]
        self.assertEqual(routes, ["web", "ssh"])
