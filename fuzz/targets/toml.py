"""portmux.conf as TOML, through the walker."""

from __future__ import annotations

from fuzz.configuring import Source
from portmux.app.build import registry

SEEDS = [
    b'tunnels = ["1=127.0.0.1:2"]\n[listeners.a]\nbind = ["*:1"]\necho = {}\n',
    b"[listeners.'a']\nbind='${A}'\nsniff={timeout=3,limit=\"16KiB\"}\n"
    b"[[listeners.a.routes]]\nname='r'\nmatch.prefix.hex='00ff'\nclose={}\n"
    b"[[listeners.a.routes]] # two\nname=\"s\"\nmatch=['ssh',{not='tls'}]\n"
    b'forward = """[::1]:2"""\n',
    b"a = 1979-05-27T07:32:00Z\nb = 0xff\nc = [ [1.5e3, inf], {d.e = true} ]\n"
    b"k = 0\r\n \r\r\n\n",
    b"[f]\n[f.g]\n\"h\\u0041\" = '''\ni'''\n",
]

_SOURCE = Source(registry(), ".toml")


def check(data: bytes) -> None:
    _SOURCE.check(data)
