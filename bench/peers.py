"""The proxies that are compared: their configuration and how they are started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: Where the routes that must not win lead: nothing listens there, so that a
#: proxy which takes a wrong turn shows errors and not a fine figure.
NOWHERE = "127.0.0.1:9"

#: Connections each proxy is told to accept at most; above any run's need.
MOST_CONNECTIONS = 5000


@dataclass(frozen=True)
class Rule:
    """
    One route, as portmux and as HAProxy spell it.

    @ivar match: portmux's C{match:}, in YAML's flow style.
    @ivar condition: HAProxy's anonymous ACL, without the braces.
    """

    name: str
    match: str
    condition: str


#: What a busy port 443 may look like. The ninth rule is the one that matches.
RULES = (
    Rule("ssh", "ssh", "req.payload(0,4) -m str SSH-"),
    Rule(
        "git",
        "{tls: {sni: [git.example.org]}}",
        "req.ssl_sni -i git.example.org",
    ),
    Rule(
        "mail",
        '{tls: {sni: ["*.mail.example.org"]}}',
        "req.ssl_sni -i -m end .mail.example.org",
    ),
    Rule("h2", "{tls: {alpn: [h2]}}", "req.ssl_alpn h2"),
    Rule("tls", "tls", "req.ssl_hello_type 1"),
    Rule("vpn", '{prefix: {hex: "000e38"}}', "req.payload(0,3) -m bin 000e38"),
    Rule("rdp", '{prefix: {hex: "0300"}}', "req.payload(0,2) -m bin 0300"),
    Rule("smtp", '{prefix: "EHLO "}', 'req.payload(0,5) -m str "EHLO "'),
    Rule("web", "http", "req.proto_http"),
    Rule("irc", '{prefix: "NICK "}', 'req.payload(0,5) -m str "NICK "'),
)
WINNER = "web"


@dataclass(frozen=True)
class Site:
    """
    What a proxy is started with.

    @ivar folder: its own; files may be written there.
    @ivar port: where it listens, on 127.0.0.1.
    @ivar backend: C{HOST:PORT} of the backend.
    """

    folder: Path
    port: int
    backend: str

    @property
    def config(self) -> Path:
        return self.folder / "config"


@dataclass(frozen=True)
class Peer:
    """
    @ivar about: what it is, for the legend of the table.
    @ivar package: Debian's package that has it; empty for portmux.
    @ivar programs: paths or names; the first that exists is run.
    @ivar arguments: the rest of the command line.
    @ivar config: the text of C{Site.config}, if it has a file.
    @ivar version: arguments that make it say its version.
    @ivar most_idle: idle connections it can hold at most.
    """

    name: str
    about: str
    package: str
    programs: tuple[str, ...]
    arguments: Callable[[Site], list[str]]
    version: tuple[str, ...]
    config: Callable[[Site], str] | None = None
    most_idle: int = MOST_CONNECTIONS


def haproxy_config(site: Site, *, sniff: bool, tuned: bool = False) -> str:
    """@return: one frontend, one thread, no log; the idle timeout is one hour."""
    lines = ["global", "  nbthread 1", f"  maxconn {MOST_CONNECTIONS}"]
    if tuned:
        lines += ["  tune.pipesize 1048576", "  tune.bufsize 65536"]
    lines += ["defaults", "  mode tcp", "  timeout connect 10s"]
    lines += ["  timeout client 1h", "  timeout server 1h"]
    if tuned:
        lines += ["  option splice-request", "  option splice-response"]
    lines += ["frontend front", f"  bind 127.0.0.1:{site.port}"]
    if sniff:
        lines.append("  tcp-request inspect-delay 3s")
        lines += [f"  acl is_{rule.name} {rule.condition}" for rule in RULES]
        known = " or ".join(f"is_{rule.name}" for rule in RULES)
        lines.append(f"  tcp-request content accept if {known}")
        lines += [f"  use_backend {rule.name} if is_{rule.name}" for rule in RULES]
        targets = {rule.name: NOWHERE for rule in RULES}
        targets[WINNER] = site.backend
    else:
        lines.append(f"  default_backend {WINNER}")
        targets = {WINNER: site.backend}
    for name, target in targets.items():
        lines += [f"backend {name}", f"  server one {target}"]
    return "\n".join(lines) + "\n"


def portmux_config(site: Site, engine: str = "") -> str:
    """
    @param engine: without one, that which portmux chooses.
    @return: ten routes, limits, the access log in a file, metrics: as users do.
    """
    lines = [
        "listeners:",
        "  front:",
        f'    bind: ["127.0.0.1:{site.port}"]',
        "    sniff: {timeout: 3s, limit: 64KiB}",
        "    limits:",
        f"      connections: {MOST_CONNECTIONS}",
        f"      per-source: {MOST_CONNECTIONS}",
        "    timeouts: {idle: 1h, half-close: 60s}",
        "    routes:",
    ]
    for rule in RULES:
        target = site.backend if rule.name == WINNER else NOWHERE
        lines.append(
            f'      - {{name: {rule.name}, match: {rule.match}, forward: "{target}"}}'
        )
    lines += ["    fallback: close", f"log: {{access: {site.folder / 'access.log'}}}"]
    lines.append('metrics: {prometheus: "127.0.0.1:0"}')
    if engine:
        lines.append(f"engine: {engine}")
    return "\n".join(lines) + "\n"


def nginx_config(site: Site, *, preread: bool) -> str:
    """
    @param preread: choose by the server name of TLS; what is no TLS has none and
        leads to the backend.
    @return: one worker, no access log; the idle timeout is one hour.
    """
    target = "$target" if preread else site.backend
    names = ("git.example.org", "*.mail.example.org")
    lines = [
        "daemon off;",
        "worker_processes 1;",
        f"pid {site.folder / 'pid'};",
        "load_module modules/ngx_stream_module.so;",
        # Two for each: the client's and the backend's.
        f"events {{ worker_connections {2 * MOST_CONNECTIONS + 16}; }}",
        "stream {",
        "  proxy_connect_timeout 10s;",
        "  proxy_timeout 1h;",
        "  proxy_half_close on;",
    ]
    if preread:
        lines.append("  map $ssl_preread_server_name $target {")
        lines.append("    hostnames;")
        lines += [f"    {name} {NOWHERE};" for name in names]
        lines += [f"    default {site.backend};", "  }"]
    lines += ["  server {", f"    listen 127.0.0.1:{site.port} backlog=4096;"]
    if preread:
        lines.append("    ssl_preread on;")
    lines += [f"    proxy_pass {target};", "  }", "}"]
    return "\n".join(lines) + "\n"


def sslh_arguments(site: Site) -> list[str]:
    """@return: every protocol sslh 1.20 knows, HTTP the last but the catch-all."""
    others = ["ssh", "openvpn", "tinc", "xmpp", "ssl", "adb", "socks5"]
    arguments = ["-f", "-n", "-p", f"127.0.0.1:{site.port}"]
    for protocol in others:
        arguments += [f"--{protocol}", NOWHERE]
    return [*arguments, "--http", site.backend, "--anyprot", NOWHERE]


def _haproxy(name: str, about: str, *, sniff: bool, tuned: bool = False) -> Peer:
    return Peer(
        name=name,
        about=about,
        package="haproxy",
        programs=("haproxy", "/usr/sbin/haproxy"),
        arguments=lambda site: ["-db", "-f", str(site.config)],
        version=("-v",),
        config=lambda site: haproxy_config(site, sniff=sniff, tuned=tuned),
    )


def _portmux(name: str, about: str, engine: str = "") -> Peer:
    return Peer(
        name=name,
        about=about,
        package="",
        programs=(),
        arguments=lambda site: ["-m", "portmux", "run", "-c", str(site.config)],
        version=("-m", "portmux", "--version"),
        config=lambda site: portmux_config(site, engine),
    )


def _nginx(name: str, about: str, *, preread: bool) -> Peer:
    return Peer(
        name=name,
        about=about,
        package="libnginx-mod-stream",
        programs=("nginx", "/usr/sbin/nginx"),
        arguments=lambda site: ["-e", "stderr", "-c", str(site.config)],
        version=("-v",),
        config=lambda site: nginx_config(site, preread=preread),
    )


#: The peer every ratio is taken to.
BASE = "haproxy-sniff"
#: The peers bulk ratios are taken to as well.
DEFAULT = "haproxy"
TUNED = "haproxy-tuned"
#: The backend with nothing before it.
DIRECT = "direct"

PEERS = (
    _haproxy(BASE, "HAProxy, ten rules, the ninth matches, no log", sniff=True),
    _haproxy(DEFAULT, "HAProxy, one backend, no sniffing, no log", sniff=False),
    _haproxy(
        TUNED,
        "HAProxy, no sniffing, splicing forced through 1 MiB pipes, 64 KiB buffers",
        sniff=False,
        tuned=True,
    ),
    _nginx("nginx", "nginx stream, one backend, no sniffing, no log", preread=False),
    _nginx(
        "nginx-preread",
        "nginx stream, ssl_preread and a map of two server names, no log",
        preread=True,
    ),
    Peer(
        name="sslh",
        about="sslh-select -n, nine protocols, HTTP the eighth",
        package="sslh",
        programs=("sslh-select", "/usr/sbin/sslh-select"),
        arguments=sslh_arguments,
        version=("-V",),
        most_idle=400,  # it waits with select(): 1,024 descriptors, two each
    ),
    _portmux("portmux", "portmux, ten routes, the ninth matches, limits, log, metrics"),
    _portmux("portmux-lane", "the same with engine: lane", "lane"),
    _portmux("portmux-twisted", "the same with engine: twisted", "twisted"),
)
NAMES = (DIRECT, *(peer.name for peer in PEERS))
