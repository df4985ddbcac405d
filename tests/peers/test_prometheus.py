"""Prometheus reads our metrics, and the dashboard's queries have answers."""

from __future__ import annotations

import contextlib
import json
import socket
from functools import partial
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

from tests.documents import queries
from tests.integration.processes import Foreground, until
from tests.peers.stage import PeersCase, listens

CONFIG = """\
listeners:
  front:
    bind: "127.0.0.1:0"
    limits: {connections: 2}
    routes:
      - {name: echo, match: {prefix: e}, echo: }
      - {name: back, match: {prefix: b}, forward: "127.0.0.1:${BACK}"}
      - {name: none, match: {prefix: n}, forward: "127.0.0.1:${NONE}"}
  back: {bind: "127.0.0.1:${BACK}", echo: }
metrics: {prometheus: "127.0.0.1:0"}
"""

PROMETHEUS = """\
global: {scrape_interval: 100ms, scrape_timeout: 100ms}
scrape_configs:
  - job_name: portmux
    static_configs: [{targets: ["127.0.0.1:%d"]}]
"""


def got(port: int, path: str) -> bytes:
    """
    @return: what a server of this machine answers.
    @raise AssertionError: with another status than 200.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, f"{path}: {answer.status} {body!r}"
        return body
    finally:
        connection.close()


class PrometheusTests(PeersCase):
    """
    @ivar running: portmux.
    @ivar metrics: the port that they are read from.
    """

    def setUp(self) -> None:
        super().setUp()
        ports = {"BACK": self.reserve(), "NONE": self.reserve()}
        self.running: Foreground = self.front(CONFIG, **ports)
        self.metrics = self.running.port("metrics.prometheus")
        self.port = self.running.port()

    def visit(self, data: bytes) -> None:
        """Be a client for a moment."""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            client.settimeout(60)
            with contextlib.suppress(ConnectionResetError):
                while client.recv(65536):
                    pass

    def visit_all(self) -> None:
        """Leave a number of each kind: also of who is refused."""
        for data in (b"echo", b"back", b"none", b"?"):
            self.visit(data)
        held = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(2)]
        for client in held:
            client.sendall(b"e")
            client.recv(1)
        with socket.create_connection(("127.0.0.1", self.port)) as third:
            third.recv(1)
        for client in held:
            client.close()
        until(self.nobody_left, lambda: got(self.metrics, "/metrics").decode())

    def nobody_left(self) -> bool:
        text = got(self.metrics, "/metrics").decode()
        return 'portmux_sessions_open{listener="front"} 0.0\n' in text

    def test_promtool(self) -> None:
        """It has nothing to say against the metrics."""
        self.visit_all()
        text = got(self.metrics, "/metrics")
        ran = self.ask("promtool", "check", "metrics", data=text)
        self.assertEqual((ran.status, ran.err), (0, ""))
        broken = self.ask("promtool", "check", "metrics", data=b"portmux_a_total x\n")
        self.assertNotEqual(broken.status, 0)

    def test_by_hand(self) -> None:
        """Over TCP, and by a unix socket, as the page about metrics tells."""
        url = f"http://127.0.0.1:{self.metrics}/metrics"
        told = self.ask("curl", "-sSf", url).checked()
        self.assertIn(b'portmux_accepted_total{listener="front"} 0.0', told)
        text = 'listeners: {front: {bind: "127.0.0.1:0", echo: }}\n'
        self.front(text + 'metrics: {prometheus: "unix:metrics"}')
        url = "http://localhost/metrics"
        told = self.ask("curl", "-sSf", "--unix-socket", "metrics", url).checked()
        self.assertIn(b'portmux_accepted_total{listener="front"} 0.0', told)

    def test_dashboard(self) -> None:
        """Each of its queries can be asked, and has an answer."""
        config = self.write(PROMETHEUS % self.metrics, "prometheus.yml")
        port = self.reserve()
        options = {
            "config.file": config,
            "storage.tsdb.path": self.folder / "tsdb",
            "web.listen-address": f"127.0.0.1:{port}",
        }
        given = [f"--{name}={value}" for name, value in options.items()]
        server = self.serve(lambda: listens(port), "prometheus", *given)
        server.wait_for("Server is ready to receive web requests")
        answer = partial(self.answer, port)
        accepted = 'portmux_accepted_total{listener="front"}'
        until(lambda: answer(accepted), lambda: "never scraped")
        self.visit_all()
        self.visit_all()  # a series that begins has no rate yet
        until(lambda: answer(accepted)[0]["value"][1] == "14", lambda: "not all there")
        for query in queries():
            asked = query.replace("$__rate_interval", "1m").replace("$listener", ".*")
            self.assertNotIn("$", asked)
            until(partial(answer, asked), partial(str, asked))

    def answer(self, port: int, query: str) -> list[Any]:
        """@return: what a Prometheus finds."""
        found = json.loads(got(port, f"/api/v1/query?query={quote(query)}"))
        result: list[Any] = found["data"]["result"]
        return result
