"""docs/howto/openvpn.md: OpenVPN and curl, through one port."""

from __future__ import annotations

from collections.abc import Sequence

from tests.peers.cookbook import ANY, CookbookCase
from tests.peers.servers import COMPLETE, Site, certificate, nginx, tunnel


class OpenvpnTests(CookbookCase):
    """Each way that OpenVPN may begin, and a page of the web beside it."""

    page = "openvpn"

    def setUp(self) -> None:
        super().setUp()
        self.vpn, web = self.reserve(), self.reserve()
        for name in ("ca", "server", "client", "www.example.org"):
            certificate(self, name, None if name == "ca" else "ca")
        nginx(self, Site("www.example.org", web, tls=True))
        changes = {
            "*:443": ANY,
            "127.0.0.1:1194": f"127.0.0.1:{self.vpn}",
            "127.0.0.1:8443": f"127.0.0.1:{web}",
        }
        self.running = self.front_of("portmux.conf", changes)

    def check(self, server: Sequence[str] = (), client: Sequence[str] = ()) -> None:
        """
        The tunnel is there on both sides, by the route of its own.

        What the page has in the two configurations is in them here.
        """
        text = self.shown("server.conf", {"1194": self.vpn})
        self.write(text, "server.conf")
        there = tunnel(self, "server", "--config", "server.conf", *server)
        changes = {"443": self.running.port(), "vpn.example.org": "127.0.0.1"}
        text = self.shown("client.conf", changes)
        self.write(text, "client.conf")
        here = tunnel(self, "client", "--config", "client.conf", *client)
        there.wait_for(COMPLETE)
        self.look_at_the_page()
        here.kill()
        record = self.record(self.running, 2)
        self.assertEqual((record["route"], record["cause"]), ("vpn", "match"))

    def look_at_the_page(self) -> None:
        lead = ("--connect-to", f"::127.0.0.1:{self.running.port()}")
        curl = ("curl", "-q", "-sS", "--noproxy", "*", "--cacert", "ca.pem", *lead)
        page = self.ask(*curl, "https://www.example.org/name").checked()
        self.assertEqual(page, b"www.example.org by HTTP/1.1\n")
        self.assertEqual(self.record(self.running)["route"], "web")

    def generated(self, kind: str, *options: str) -> str:
        """@return: a new key's file."""
        made = f"{kind}.secret"
        self.ask("openvpn", *options, "--genkey", kind, made).checked()
        return made

    def test_tls(self) -> None:
        self.check()

    def test_tls_auth(self) -> None:
        key = self.generated("tls-auth")
        self.check(("--tls-auth", key, "0"), ("--tls-auth", key, "1"))

    def test_tls_crypt(self) -> None:
        words = ("--tls-crypt", self.generated("tls-crypt"))
        self.check(words, words)

    def test_tls_crypt_v2(self) -> None:
        """The first packet has another code, and holds the client's wrapped key."""
        ours = ("--tls-crypt-v2", self.generated("tls-crypt-v2-server"))
        theirs = self.generated("tls-crypt-v2-client", *ours)
        self.check(ours, ("--tls-crypt-v2", theirs))
