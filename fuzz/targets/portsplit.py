"""Files in portsplit's syntax, through the walker; line ends make no difference."""

from __future__ import annotations

from fuzz.configuring import ENVIRON, faults_of
from fuzz.material import require
from portmux.app.build import registry
from portmux.config.faults import Faults
from portmux.config.load import Inputs, Loaded, load
from portmux.config.sources import portsplit
from portmux.config.sources.syntax import Syntax
from portmux.config.write import write
from portmux.errors import ConfigError

SEEDS = [
    b"bind = 0.0.0.0:443\nmaxconn = 10\ntimeout = 3\npid = /run/x\n"
    b"[ssh]\nconnect = 127.0.0.1:22\nstring = SSH-\n#comment\n"
    b"[tls]\nconnect=[::1]:443\nstring=\\16\\03\\01\nstring=\\16\\03 \n"
    b"[run]\nexec = /bin/sh\nexecarg = -c\nexecarg = cat\npty = yes\nstring = run\r\n"
    b"[timeout]\nconnect = localhost:22\n[none]\nconnect = 10.0.0.1:1\n",
    b"bind = [::]:1\r[a]\rconnect = h:1\rstring = \r",
]

_NAME = "portsplit.conf"

_REGISTRY = registry()


def check(data: bytes) -> None:
    first = _load(_NAME, data, Syntax.PORTSPLIT)
    faults = Faults()
    tree = portsplit.parse(_NAME, data, faults)
    if first is None:
        return
    require(not faults_of(faults), "a fault that does not count", faults_of(faults))
    text = write(first.tree)
    again = _load("portmux.yaml", text.encode(), Syntax.YAML)
    require(again is not None and again.config == first.config, "convert", text)
    if b"\r" not in data:
        other = _load(_NAME, data.replace(b"\n", b"\r\n"), Syntax.PORTSPLIT)
        same = other is not None and other.config == first.config
        require(same and tree == portsplit.parse(_NAME, data, Faults()), "line ends")


def _load(name: str, data: bytes, syntax: Syntax) -> Loaded | None:
    def read(path: str) -> bytes:
        if path != name:
            raise FileNotFoundError(2, "No such file or directory", path)
        return data

    try:
        return load(
            Inputs(
                read=read,
                glob=lambda pattern: [],
                registry=_REGISTRY,
                file=name,
                environ=ENVIRON,
                syntax=syntax,
            )
        )
    except ConfigError as wrong:
        for fault in wrong.faults:
            told = fault.isprintable() and fault.startswith(name)
            require(told, "a fault that is not told well", fault)
        return None
