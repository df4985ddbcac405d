"""All of it through one port, at the same time."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.peers.servers import Site, nginx, sshd, tls_server
from tests.peers.stage import BULK, BULK_SUM, PeersCase, fields

CONFIG = """
listeners:
  front:
    bind: "127.0.0.1:0"
    sniff: {timeout: 30s, silent: 5s}
    routes:
      - {name: ssh, match: ssh, forward: "127.0.0.1:${SSHD}"}
      - {name: tls-one, match: {tls: {sni: one.test}}, forward: "127.0.0.1:${TLS_ONE}"}
      - {name: tls-two, match: {tls: {sni: two.test}}, forward: "127.0.0.1:${TLS_TWO}"}
      - {name: tls, match: tls, forward: "127.0.0.1:${TLS}"}
      - {name: one, match: {http: {host: one.test}}, forward: "127.0.0.1:${ONE}"}
      - {name: two, match: {http: {host: two.test}}, forward: "127.0.0.1:${TWO}"}
      - {name: sum, match: {prefix: "sum"}, exec: [sha256sum]}
      - name: terminal
        match: {prefix: "line"}
        exec: {command: [sh, -c, "tty; cat"], pty: true}
    fallback: {respond: "what?\\n"}
    silent: {respond: "good day\\n"}
"""

ROUTES = ("ssh", "tls-one", "tls-two", "tls", "one", "two", "sum", "terminal")


class OnePortTests(PeersCase):
    """One listener, every route of it in use, each client gets what it came for."""

    def setUp(self) -> None:
        super().setUp()
        names = ("SSHD", "ONE", "TWO", "TLS_ONE", "TLS_TWO", "TLS")
        ports = {name: self.reserve() for name in names}
        self.ssh = sshd(self, ports["SSHD"]).login
        nginx(
            self,
            Site("one.test", ports["ONE"]),
            Site("two.test", ports["TWO"]),
            Site("tls.one.test", ports["TLS_ONE"], tls=True),
            Site("tls.two.test", ports["TLS_TWO"], tls=True),
        )
        for site in ("one.test", "two.test", "tls.one.test", "tls.two.test"):
            (self.folder / site / "bulk").write_bytes(site.encode() + BULK)
        tls_server(self, ports["TLS"], "any")
        self.running = self.front(CONFIG, **ports)

    def test_all_at_once(self) -> None:
        """Three clients of every kind."""
        visits = (self.ssh_there, self.web, self.secure_web, self.tls)
        more = (self.program, self.terminal, self.silent, self.unknown)
        with ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(visit) for visit in (*visits, *more) * 3]
            for job in jobs:
                job.result()
        records = [fields(line) for line in self.running.records(30)]
        taken = Counter(record["route"] for record in records)
        self.assertEqual(taken, dict.fromkeys((*ROUTES, "silent", "fallback"), 3))

    def ssh_there(self) -> None:
        words = (*self.ssh, f"-p{self.running.port()}", "sha256sum")
        self.assertEqual(self.ask(*words, data=BULK).checked().split()[0], BULK_SUM)

    def curl(self, scheme: str, site: str) -> bytes:
        port = self.running.port()
        there = ("--resolve", f"{site}:{port}:127.0.0.1", "--noproxy", "*", "-k")
        url = f"{scheme}://{site}:{port}/bulk"
        return self.ask("curl", "-q", "-sS", *there, url).checked()

    def web(self) -> None:
        for site in ("one.test", "two.test"):
            self.assertEqual(self.curl("http", site), site.encode() + BULK)

    def secure_web(self) -> None:
        for site in ("one.test", "two.test"):
            self.assertEqual(self.curl("https", site), b"tls." + site.encode() + BULK)

    def tls(self) -> None:
        there = ("-connect", f"127.0.0.1:{self.running.port()}", "-noservername")
        words = ("s_client", "-quiet", *there)
        said = self.ask("openssl", *words, data=b"drawer\nCLOSE\n").out
        self.assertEqual(said, b"reward\n")

    def nc(self, data: bytes) -> bytes:
        words = ("-N", "127.0.0.1", str(self.running.port()))
        return self.ask("nc", *words, data=data).checked()

    def program(self) -> None:
        itself = self.ask("sha256sum", data=b"sum" + BULK).checked()
        self.assertEqual(self.nc(b"sum" + BULK), itself)

    def terminal(self) -> None:
        said = self.nc(b"line\n")
        self.assertIn(b"/dev/pts/", said)
        self.assertTrue(said.endswith(b"\r\nline\r\n"), said)

    def unknown(self) -> None:
        self.assertEqual(self.nc(BULK), b"what?\n")

    def silent(self) -> None:
        talk = self.talk("nc", "127.0.0.1", str(self.running.port()))
        talk.hear(b"good day\n")
