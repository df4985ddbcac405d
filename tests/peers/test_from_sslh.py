"""docs/howto/from-sslh.md: a real sslh and portmux, with the same clients."""

from __future__ import annotations

import signal

from tests.peers.cookbook import ANY, CookbookCase
from tests.peers.servers import (
    COMPLETE,
    Site,
    certificate,
    for_each_client,
    nginx,
    sshd,
    tunnel,
)
from tests.peers.stage import listens

GIT, WEB, PLAIN = "git.example.org", "www.example.org", "plain.example.org"


class FromSslhTests(CookbookCase):
    """What one file does, the other one does; where not, the page says so."""

    page = "from-sslh"

    def setUp(self) -> None:
        super().setUp()
        names = ("ssh", GIT, WEB, PLAIN, "vpn", "chat", "other")
        self.ports = {name: self.reserve() for name in names}
        self.ssh = sshd(self, self.ports["ssh"]).login
        for name in ("ca", "server", "client", GIT, WEB):
            certificate(self, name, None if name == "ca" else "ca")
        secure = [Site(name, self.ports[name], tls=True) for name in (GIT, WEB)]
        nginx(self, *secure, Site(PLAIN, self.ports[PLAIN]))
        vpn = ("--proto", "tcp-server", "--local", "127.0.0.1")
        self.vpn = tunnel(self, "server", *vpn, "--port", str(self.ports["vpn"]))
        for name in ("chat", "other"):
            # sslh may lose the words of a server that ends with them.
            script = self.write(f"#!/bin/sh\necho {name} is here\ncat\n", name)
            script.chmod(0o755)
            for_each_client(self, self.ports[name], f"./{name}")

    def test_sslh(self) -> None:
        port = self.reserve()
        standard = {
            "22": "ssh",
            "1194": "vpn",
            "8443": WEB,
            "80": PLAIN,
            "5222": "chat",
            "9000": "other",
        }
        changes = {
            'host: "0.0.0.0"; port: "443"': f'host: "127.0.0.1"; port: "{port}"',
            'host: "10.0.0.5"; port: "443"': (
                f'host: "127.0.0.1"; port: "{self.ports[GIT]}"'
            ),
            "/run/sslh.pid": self.folder / "sslh.pid",
        }
        for old, name in standard.items():
            changes[f'port: "{old}"'] = f'port: "{self.ports[name]}"'
        config = self.write(self.shown("sslh.cfg", changes), "sslh.cfg")
        sslh = self.serve(lambda: listens(port), "sslh", "-f", f"-F{config}")
        # It forks, and takes what it has forked with it, if it is asked to end.
        self.addCleanup(sslh.status)
        self.addCleanup(sslh.tell, signal.SIGTERM)
        self.visit(port)
        self.greeted(port, b";)\n", b"SSH-2.0-")  # on timeout

    def test_portmux(self) -> None:
        standard = {
            "localhost:22": "ssh",
            "localhost:1194": "vpn",
            "10.0.0.5:443": GIT,
            "localhost:8443": WEB,
            "localhost:80": PLAIN,
            "localhost:5222": "chat",
            "localhost:9000": "other",
        }
        changes = {
            old: f"{old.split(':')[0]}:{self.ports[name]}"
            for old, name in standard.items()
        }
        changes["10.0.0.5:443"] = f"127.0.0.1:{self.ports[GIT]}"
        changes |= {"0.0.0.0:443": ANY, "/run/portmux.pid": "portmux.pid"}
        running = self.front_of("portmux.conf", changes)
        self.visit(running.port())
        routes = [self.record(running, n)["route"] for n in range(1, 9)]
        ways = ["ssh", "silent", "git", "tls", "http", "chat", "fallback", "vpn"]
        self.assertEqual(routes, ways)
        self.greeted(running.port(), b";)\n", b"other is here\n")  # at once

    def greeted(self, port: int, data: bytes, greeting: bytes) -> None:
        """Say that, and be answered so."""
        talk = self.talk("nc", "127.0.0.1", str(port))
        talk.say(data)
        talk.hear(greeting)
        talk.stop()

    def visit(self, port: int) -> None:
        """Each client gets to its server."""
        said = self.ask(*self.ssh, f"-p{port}", "echo there").checked()
        self.assertEqual(said, b"there\n")
        scan = ("-T", "30", "-t", "ed25519", "-p", str(port), "127.0.0.1")
        key = self.ask("ssh-keyscan", *scan).checked().split()[-1]
        self.assertIn(key, (self.folder / "host.pub").read_bytes())
        lead = ("--connect-to", f"::127.0.0.1:{port}", "--noproxy", "*")
        curl = ("curl", "-q", "-sS", "--cacert", "ca.pem", *lead)
        for url in (f"https://{GIT}", f"https://{WEB}", f"http://{PLAIN}"):
            page = self.ask(*curl, f"{url}/name").checked()
            self.assertIn(url.partition("//")[2].encode(), page)
        for data, name in (
            (b"<stream:stream>", b"chat"),
            (b"what is this?\n", b"other"),
        ):
            self.greeted(port, data, name + b" is here\n")
        there = ("--proto", "tcp-client", "--remote", "127.0.0.1", str(port))
        client = tunnel(self, "client", *there)
        self.vpn.wait_for(COMPLETE)
        client.kill()
