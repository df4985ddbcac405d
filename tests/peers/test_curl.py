"""curl and nginx: HTTP by host, HTTPS by server name, HTTP/2 by ALPN."""

from __future__ import annotations

from tests.peers.servers import Site, nginx
from tests.peers.stage import BULK, PeersCase, Ran

CONFIG = """
listeners:
  front:
    bind: "127.0.0.1:0"
    routes:
      - name: h2
        match: {tls: {sni: new.test, alpn: h2}}
        forward: "127.0.0.1:${H2}"
      - {name: tls-one, match: {tls: {sni: one.test}}, forward: "127.0.0.1:${TLS_ONE}"}
      - name: tls-two
        match: {tls: {sni: [two.test, "*.two.test", new.test]}}
        forward: "127.0.0.1:${TLS_TWO}"
      - {name: one, match: {http: {host: one.test}}, forward: "127.0.0.1:${ONE}"}
      - {name: two, match: {http: {host: "*two.test"}}, forward: "127.0.0.1:${TWO}"}
      - name: upload
        match: {http: {method: PUT}}
        forward: "127.0.0.1:${TWO}"
"""


def answer(site: str, version: str = "1.1") -> bytes:
    """@return: what a site says about itself to a request of this version."""
    return f"{site} by HTTP/{version}\n".encode()


class CurlCase(PeersCase):
    """curl, told that any name is where portmux listens."""

    def setUp(self) -> None:
        super().setUp()
        names = ("ONE", "TWO", "TLS_ONE", "TLS_TWO", "H2")
        self.ports = {name: self.reserve() for name in names}
        self.running = self.front(CONFIG, **self.ports)

    def curl(self, scheme: str, host: str, path: str, *words: str) -> Ran:
        port = self.running.port()
        url = f"{scheme}://{host}:{port}{path}"
        resolve = ("--resolve", f"{host}:{port}:127.0.0.1")
        return self.ask("curl", "-sS", "-q", "--noproxy", "*", *resolve, *words, url)

    def get(self, scheme: str, host: str, *words: str) -> bytes:
        """@return: what the server that was reached says about itself."""
        return self.curl(scheme, host, "/name", *words).checked()


class HttpTests(CurlCase):
    """By the host that a request names."""

    def setUp(self) -> None:
        super().setUp()
        ports = self.ports
        nginx(self, Site("one.test", ports["ONE"]), Site("two.test", ports["TWO"]))

    def test_the_host_decides(self) -> None:
        """Each name has its server, also with a port behind it, and as a glob."""
        self.assertEqual(self.get("http", "one.test"), answer("one.test"))
        self.assertEqual(self.get("http", "two.test"), answer("two.test"))
        self.assertEqual(self.get("http", "www.two.test"), answer("two.test"))
        old = self.get("http", "one.test", "--http1.0")
        self.assertEqual(old, answer("one.test", "1.0"))
        routes = [self.record(self.running, n)["route"] for n in (1, 2, 3, 4)]
        self.assertEqual(routes, ["one", "two", "two", "one"])

    def test_a_connection_that_is_kept(self) -> None:
        """Two requests of one connection go to the server of the first one."""
        again = f"http://one.test:{self.running.port()}/name"
        out = self.curl("http", "one.test", "/name", again).checked()
        self.assertEqual(out, answer("one.test") * 2)
        self.assertEqual(self.record(self.running)["host"], "one.test")
        self.assertEqual(len(self.running.records(1)), 1)

    def test_a_large_answer(self) -> None:
        """8 MiB come as they lie on the server."""
        (self.folder / "one.test/bulk").write_bytes(BULK)
        self.assertEqual(self.curl("http", "one.test", "/bulk").checked(), BULK)

    def test_a_large_request(self) -> None:
        """8 MiB get there as they were sent; curl waits for 100 Continue first."""
        (self.folder / "bulk").write_bytes(BULK)
        words = ("-T", "bulk", "-w", "%{http_code}")
        out = self.curl("http", "upload.test", "/bulk", *words).checked()
        self.assertEqual(out, b"201")
        self.assertEqual((self.folder / "two.test/bulk").read_bytes(), BULK)
        self.assertEqual(self.record(self.running)["route"], "upload")

    def test_a_name_that_nobody_has(self) -> None:
        """No route, no fallback: the connection is closed, and the record says so."""
        ran = self.curl("http", "three.test", "/")
        self.assertEqual(ran.status, 52)  # empty reply from server
        record = self.record(self.running)
        self.assertEqual((record["end"], record["host"]), ("no-route", "three.test"))


class HttpsTests(CurlCase):
    """By the name in the hello: TLS is passed through, its end is the server's."""

    def setUp(self) -> None:
        super().setUp()
        ports = self.ports
        nginx(
            self,
            Site("one.test", ports["TLS_ONE"], tls=True),
            Site("two.test", ports["TLS_TWO"], tls=True),
        )

    def test_the_server_name_decides(self) -> None:
        """Each name's server shows its own certificate, and no other would do."""
        one, two = ("--cacert", "one.test.pem"), ("--cacert", "two.test.pem")
        self.assertEqual(self.get("https", "one.test", *one), answer("one.test"))
        self.assertEqual(self.get("https", "two.test", *two), answer("two.test"))
        self.assertEqual(self.get("https", "a.two.test", *two), answer("two.test"))
        crossed = self.curl("https", "one.test", "/name", *two)
        self.assertEqual(crossed.status, 60)  # the certificate is not trusted
        record = self.record(self.running, 3)
        self.assertEqual((record["route"], record["sni"]), ("tls-two", "a.two.test"))

    def test_versions_of_tls(self) -> None:
        """Both versions that are in use."""
        for version in ("1.2", "1.3"):
            words = (
                "--cacert",
                "one.test.pem",
                f"--tlsv{version}",
                "--tls-max",
                version,
            )
            out = self.get("https", "one.test", *words)
            self.assertEqual(out, answer("one.test"))

    def test_a_large_answer(self) -> None:
        """8 MiB come as they lie on the server."""
        (self.folder / "one.test/bulk").write_bytes(BULK)
        ran = self.curl("https", "one.test", "/bulk", "--cacert", "one.test.pem")
        self.assertEqual(ran.checked(), BULK)

    def test_a_large_request(self) -> None:
        """8 MiB get there as they were sent."""
        (self.folder / "bulk").write_bytes(BULK)
        words = ("--cacert", "one.test.pem", "-T", "bulk")
        self.curl("https", "one.test", "/up", *words).checked()
        self.assertEqual((self.folder / "one.test/up").read_bytes(), BULK)

    def test_a_name_that_nobody_has(self) -> None:
        """The handshake meets the end of the connection."""
        ran = self.curl("https", "three.test", "/", "--insecure")
        self.assertEqual(ran.status, 35)  # TLS handshake failed
        record = self.record(self.running)
        self.assertEqual((record["end"], record["sni"]), ("no-route", "three.test"))


class Http2Tests(CurlCase):
    """What the client can speak decides, below the name that it asks for."""

    def setUp(self) -> None:
        super().setUp()
        ports = self.ports
        nginx(
            self,
            Site("two.test", ports["TLS_TWO"], tls=True),
            Site("new.test", ports["H2"], tls=True, options="http2"),
        )

    def test_alpn_decides(self) -> None:
        """curl offers h2 by itself; told not to, it gets the older server."""
        out = self.get("https", "new.test", "--cacert", "new.test.pem")
        self.assertEqual(out, answer("new.test", "2.0"))
        out = self.get("https", "new.test", "--insecure", "--http1.1")
        self.assertEqual(out, answer("two.test"))
        routes = [self.record(self.running, n)["route"] for n in (1, 2)]
        self.assertEqual(routes, ["h2", "tls-two"])

    def test_a_large_request_and_its_answer(self) -> None:
        """8 MiB each way in one connection."""
        (self.folder / "bulk").write_bytes(BULK)
        trusted = ("--cacert", "new.test.pem")
        self.curl("https", "new.test", "/up", "-T", "bulk", *trusted).checked()
        self.assertEqual(
            self.curl("https", "new.test", "/up", *trusted).checked(), BULK
        )
