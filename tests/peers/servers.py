"""Debian's servers as backends: sshd, nginx, PostgreSQL, and what socat makes one."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs

from tests.integration.processes import Foreground
from tests.peers.stage import PeersCase, is_taken, listens, program

PRIVILEGES = Path("/run/sshd")
"""Where sshd locks its unprivileged half in, for root; Debian's unit makes it."""

WAITS = "Listening for incoming TCP connection"

COMPLETE = "Initialization Sequence Completed"
"""What OpenVPN says when it waits for a client, and when its tunnel is there."""


@attrs.frozen
class Sshd:
    """
    A running sshd.

    @ivar login: C{ssh} with all that it takes to be let in, but no port.
    """

    login: tuple[str, ...]


def sshd(case: PeersCase, port: int) -> Sshd:
    """Start one that lets in who runs the tests, by a key made for this."""
    if os.geteuid() == 0:
        PRIVILEGES.mkdir(mode=0o755, exist_ok=True)
    for name in ("host", "user"):
        words = ("-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name)
        case.ask("ssh-keygen", *words).checked()
    settings = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": case.folder / "host",
        "AuthorizedKeysFile": case.folder / "user.pub",
        "AuthenticationMethods": "publickey",
        "PermitRootLogin": "prohibit-password",
        "StrictModes": "no",
        "UsePAM": "no",
        "PidFile": "none",
    }
    lines = "".join(f"{name} {value}\n" for name, value in settings.items())
    config = case.write(lines, "sshd_config")
    case.serve(lambda: listens(port), "sshd", "-D", "-e", "-f", config)
    # The client believes only in this server's key: nobody stands between them.
    key = " ".join((case.folder / "host.pub").read_text().split()[:2])
    known = case.write(f"portmux.test {key}\n", "known_hosts")
    options = {
        "User": pwd.getpwuid(os.geteuid()).pw_name,
        "IdentityFile": case.folder / "user",
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": known,
        "GlobalKnownHostsFile": "none",
        "HostKeyAlias": "portmux.test",
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "LogLevel": "ERROR",
    }
    given = [f"-o{name}={value}" for name, value in options.items()]
    return Sshd((program("ssh"), "-F", "none", *given, "127.0.0.1"))


def certificate(case: PeersCase, name: str, authority: str | None = None) -> Path:
    """
    @param authority: whose certificate signs it; None: it signs itself.
    @return: a certificate for a name and all below it; its key is C{NAME.key}.
    """
    made = case.folder / f"{name}.pem"
    names = f"subjectAltName=DNS:{name},DNS:*.{name}"
    words = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    if authority is not None:
        words += ["-CA", f"{authority}.pem", "-CAkey", f"{authority}.key"]
    files = ("-keyout", f"{name}.key", "-out", made.name)
    subject = ("-subj", f"/CN={name}", "-addext", names)
    case.ask("openssl", "req", *words, "-nodes", *files, *subject).checked()
    return made


@attrs.frozen
class Site:
    """
    What nginx serves on one port.

    @ivar name: the site's; its files lie in a folder of that name, it names
        itself under C{/name} and takes files by PUT.
    @ivar tls: with the certificate for its name; one is made, unless it is there.
    @ivar options: of C{listen}, such as C{http2}.
    @ivar more: what else it does.
    """

    name: str
    port: int
    tls: bool = False
    options: str = ""
    more: str = ""

    def block(self) -> str:
        listen = f"127.0.0.1:{self.port} {'ssl' if self.tls else ''} {self.options}"
        files = f"ssl_certificate {self.name}.pem; ssl_certificate_key {self.name}.key;"
        return f"""
            server {{
                listen {listen};
                {files if self.tls else ""}
                root {self.name};
                location = /name {{ return 200 "{self.name} by $server_protocol\\n"; }}
                location /slow/ {{ alias {self.name}/; limit_rate 100k; }}
                {self.more}
            }}
        """


NGINX = """
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_max_body_size 0;
    dav_methods PUT;
    ssl_protocols TLSv1.2 TLSv1.3;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;
    uwsgi_temp_path temp; scgi_temp_path temp;
    {sites}
}}
"""


def nginx(case: PeersCase, *sites: Site) -> Foreground:
    """Start it as one process, so that to stop that one stops it."""
    for site in sites:
        (case.folder / site.name).mkdir(exist_ok=True)
        if site.tls and not (case.folder / f"{site.name}.pem").exists():
            certificate(case, site.name)
    blocks = "".join(site.block() for site in sites)
    config = case.write(NGINX.format(sites=blocks), "nginx.conf")
    words = ("-e", "stderr", "-p", f"{case.folder}/", "-c", config)
    return case.serve(lambda: all(listens(it.port) for it in sites), "nginx", *words)


def git_over_http(case: PeersCase, name: str) -> str:
    """
    Start git's own server side, for repositories in a site's folder.

    @return: what has nginx ask it.
    """
    socket = f"{name}.fcgi"  # the whole path may be too long for a socket
    case.serve((case.folder / socket).exists, "fcgiwrap", "-s", f"unix:{socket}")
    where = case.ask("git", "--exec-path").checked().decode().strip()
    parameters = {
        "SCRIPT_FILENAME": f"{where}/git-http-backend",
        "GIT_PROJECT_ROOT": case.folder / name,
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": "$uri",
        "QUERY_STRING": "$query_string",
        "REQUEST_METHOD": "$request_method",
        "CONTENT_TYPE": "$content_type",
        "CONTENT_LENGTH": "$content_length",
        "REMOTE_USER": "somebody",  # who may push
    }
    given = [f"fastcgi_param {one} {value};" for one, value in parameters.items()]
    return f"location ~ [.]git/ {{ fastcgi_pass unix:{socket}; {' '.join(given)} }}"


def mail_server(case: PeersCase, port: int) -> Foreground:
    """Start one that shows the mail that it gets."""
    handler = ("-c", "aiosmtpd.handlers.Debugging", "stdout")
    words = ("-n", "-l", f"127.0.0.1:{port}", *handler)
    return case.serve(lambda: listens(port), "aiosmtpd", *words)


def tunnel(case: PeersCase, role: str, *options: str) -> Foreground:
    """
    Start one end of a tunnel of OpenVPN.

    It has no device, which would take rights, but pings that go through it. A
    server takes one client; to ask whether it listens would be that one.

    @param role: C{server} or C{client}; there is a certificate of that name by
        the authority C{ca}.
    """
    device = ("--dev", "null", "--ping", "1", "--ping-exit", "60", "--verb", "3")
    own = ("--dh", "none") if role == "server" else ("--nobind",)
    keys = ("--ca", "ca.pem", "--cert", f"{role}.pem", "--key", f"{role}.key")
    words = (*options, *device, f"--tls-{role}", *own, *keys)
    vpn = case.start(program("openvpn"), *words)
    vpn.wait_for(WAITS if role == "server" else COMPLETE)
    return vpn


def haproxy(case: PeersCase, text: str, port: int) -> Foreground:
    """Start it on a configuration; it is not asked whether it listens there."""
    config = case.write(text, "haproxy.cfg")
    return case.serve(lambda: is_taken(port), "haproxy", "-db", "-f", config)


def database(case: PeersCase, name: str, port: int) -> Foreground:
    """
    Start PostgreSQL with one user, C{tester}, whom it trusts.

    @param name: its certificate's.
    """
    (programs,) = Path("/usr/lib/postgresql").glob("*/bin")
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    case.addCleanup(shutil.rmtree, folder)
    for file in (certificate(case, name), case.folder / f"{name}.key"):
        shutil.copy(file, folder)
    as_nobody: tuple[str, ...] = ()
    if os.geteuid() == 0:  # as whom it would not start
        as_nobody = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
        for one in (folder, *folder.iterdir()):
            shutil.chown(one, "nobody", "nogroup")
    data, own = folder / "data", (*as_nobody, "env", "LC_ALL=C")
    made = ("-D", data, "-A", "trust", "-U", "tester", "--no-sync")
    case.ask(*own, programs / "initdb", *made).checked()
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "ssl": "on",
        "ssl_cert_file": folder / f"{name}.pem",
        "ssl_key_file": folder / f"{name}.key",
    }
    words = [f"--{key}={value}" for key, value in settings.items()]
    return case.serve(
        lambda: listens(port), *own, programs / "postgres", "-D", data, *words
    )


def tls_server(
    case: PeersCase, port: int, name: str, options: Sequence[str] = ()
) -> Foreground:
    """Start one that sends each line back in reverse, until the line C{CLOSE}."""
    certificate(case, name)
    files = ("-cert", f"{name}.pem", "-key", f"{name}.key")
    words = ("s_server", "-rev", "-accept", f"127.0.0.1:{port}", *files, *options)
    return case.serve(lambda: listens(port), "openssl", *words)


def for_each_client(case: PeersCase, port: int, command: str) -> Foreground:
    """Start a server that runs a command for each client, as inetd does."""
    # -t: how long the answer may take once the client has finished.
    listen = f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork"
    words = ("-t", "60", listen, f"EXEC:{command}")
    return case.serve(lambda: listens(port), "socat", *words)
