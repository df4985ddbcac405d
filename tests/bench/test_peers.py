"""Configurations of the compared proxies."""

from __future__ import annotations

from pathlib import Path

import yaml
from twisted.trial.unittest import SynchronousTestCase

from bench.peers import (
    BASE,
    DEFAULT,
    DIRECT,
    NAMES,
    NOWHERE,
    PEERS,
    RULES,
    TUNED,
    WINNER,
    Peer,
    Site,
    portmux_config,
    sslh_arguments,
)
from portmux.app.inputs import inputs
from portmux.config.load import load

PACKAGES = Path(__file__).resolve().parents[2] / "bench" / "packages"
SITE = Site(Path("/tmp/one"), 20443, "127.0.0.1:40123")


def peer(name: str) -> Peer:
    """@return: the one of that name."""
    (found,) = [peer for peer in PEERS if peer.name == name]
    return found


def rendered(name: str) -> list[str]:
    """@return: the lines of a peer's configuration, without indentation."""
    config = peer(name).config
    assert config is not None
    return [line.strip() for line in config(SITE).splitlines()]


class RuleTests(SynchronousTestCase):
    """The routes are what the documentation says they are."""

    def test_ninth_of_ten_wins(self) -> None:
        """Eight rules have to say no before the one that matches."""
        self.assertEqual(len(RULES), 10)
        self.assertEqual(RULES[8].name, WINNER)

    def test_names_are_unique(self) -> None:
        """Names are those of HAProxy's ACLs and backends too."""
        self.assertEqual(len({rule.name for rule in RULES}), len(RULES))


class PortmuxTests(SynchronousTestCase):
    """portmux is measured as users run it."""

    def setUp(self) -> None:
        self.config = yaml.safe_load(portmux_config(SITE))
        self.front = self.config["listeners"]["front"]

    def test_routes(self) -> None:
        """All rules in their order; only the winner leads to the backend."""
        routes = {route["name"]: route["forward"] for route in self.front["routes"]}
        self.assertEqual(list(routes), [rule.name for rule in RULES])
        self.assertEqual(routes.pop(WINNER), SITE.backend)
        self.assertEqual(set(routes.values()), {NOWHERE})

    def test_portmux_takes_it(self) -> None:
        """Not one key is unknown, and nothing is worth a warning."""
        for engine, chosen in (("", None), ("lane", "lane"), ("twisted", "twisted")):
            path = Path(self.mktemp())
            path.write_text(portmux_config(SITE, engine))
            loaded = load(inputs(str(path), None, (), {}))
            self.assertEqual(loaded.warnings, ())
            self.assertEqual(loaded.config.engine, chosen)
            (front,) = loaded.config.listeners.values()
            self.assertEqual(len(front.routes), len(RULES))

    def test_listens_where_it_is_told(self) -> None:
        """One loopback address and nothing else."""
        self.assertEqual(self.front["bind"], ["127.0.0.1:20443"])

    def test_limits_and_log(self) -> None:
        """What users have on is on."""
        self.assertEqual(set(self.front["limits"]), {"connections", "per-source"})
        self.assertEqual(self.config["log"], {"access": "/tmp/one/access.log"})

    def test_metrics(self) -> None:
        """What is counted can be read, on a port in nobody's way."""
        self.assertEqual(self.config["metrics"], {"prometheus": "127.0.0.1:0"})


class HAProxyTests(SynchronousTestCase):
    """HAProxy in three configurations."""

    def test_sniffing_asks_all_rules_in_order(self) -> None:
        """The backends are chosen by the same ten rules as portmux's."""
        chosen = [line for line in rendered(BASE) if line.startswith("use_backend")]
        names = [rule.name for rule in RULES]
        self.assertEqual(chosen, [f"use_backend {name} if is_{name}" for name in names])

    def test_sniffing_leads_elsewhere_if_it_errs(self) -> None:
        """Only the winner's backend is the one of the bench."""
        lines = rendered(BASE)
        backend = lines.index(f"backend {WINNER}")
        self.assertEqual(lines[backend + 1], f"server one {SITE.backend}")
        self.assertEqual(lines.count(f"server one {SITE.backend}"), 1)
        self.assertEqual(lines.count(f"server one {NOWHERE}"), len(RULES) - 1)

    def test_default_neither_sniffs_nor_splices(self) -> None:
        """It is what one gets without asking for anything."""
        text = " ".join(rendered(DEFAULT))
        self.assertIn(f"default_backend {WINNER}", text)
        for word in ("inspect", "splice", "tune"):
            self.assertNotIn(word, text)

    def test_tuned_splices_through_large_pipes(self) -> None:
        """What makes bulk cheap in HAProxy is on."""
        for line in (
            "option splice-request",
            "option splice-response",
            "tune.pipesize 1048576",
            "tune.bufsize 65536",
        ):
            self.assertIn(line, rendered(TUNED))


class NginxTests(SynchronousTestCase):
    """One worker of nginx, with its stream module."""

    def test_plain(self) -> None:
        """Everything leads to the backend."""
        lines = rendered("nginx")
        self.assertIn(f"proxy_pass {SITE.backend};", lines)
        self.assertNotIn("ssl_preread on;", lines)

    def test_preread(self) -> None:
        """It looks for a server name first; the load has none."""
        lines = rendered("nginx-preread")
        for line in ("ssl_preread on;", "proxy_pass $target;"):
            self.assertIn(line, lines)
        self.assertIn(f"default {SITE.backend};", lines)
        self.assertIn(f"git.example.org {NOWHERE};", lines)

    def test_as_the_others(self) -> None:
        """It waits as long as they do, and has room for as many connections."""
        for name in ("nginx", "nginx-preread"):
            lines = rendered(name)
            for line in ("worker_processes 1;", "proxy_timeout 1h;"):
                self.assertIn(line, lines)
            self.assertIn("proxy_half_close on;", lines)
            self.assertIn("events { worker_connections 10016; }", lines)


class SslhTests(SynchronousTestCase):
    """sslh has no file: its command line says it all."""

    def test_only_http_leads_to_the_backend(self) -> None:
        """Each other protocol that it recognises leads to where nothing is."""
        arguments = sslh_arguments(SITE)
        self.assertEqual(arguments.count(SITE.backend), 1)
        self.assertEqual(arguments[arguments.index(SITE.backend) - 1], "--http")
        self.assertIn("-n", arguments)


class PeerTests(SynchronousTestCase):
    """The list of peers."""

    def test_names(self) -> None:
        """Those that ratios are taken to exist; none is called like the backend."""
        names = [peer.name for peer in PEERS]
        self.assertEqual(NAMES, (DIRECT, *names))
        self.assertLessEqual({BASE, DEFAULT, TUNED, "portmux"}, set(names))
        self.assertEqual(len(set(NAMES)), len(NAMES))

    def test_each_but_portmux_names_its_package(self) -> None:
        """A peer that is missing is reported with what to install."""
        without = [peer.name for peer in PEERS if not peer.package]
        self.assertEqual(without, ["portmux", "portmux-lane", "portmux-twisted"])

    def test_each_package_is_installed(self) -> None:
        """The list that is installed from has all of them."""
        lines = PACKAGES.read_text().splitlines()
        listed = {line.split()[1] for line in lines if not line.startswith("#")}
        packages = {peer.package for peer in PEERS if peer.package}
        self.assertLessEqual(packages, listed)
