"""Where a connection comes from, goes to, or is waited for."""

from __future__ import annotations

import attrs


@attrs.frozen(slots=True)
class Host:
    """
    A TCP socket address.

    @ivar host: an IP literal without brackets, a name, or C{*} for every
        address of both families (only where portmux listens).
    @ivar port: 0 to 65535; 0 only where the system may choose.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return (
            f"[{self.host}]:{self.port}"
            if ":" in self.host
            else f"{self.host}:{self.port}"
        )


@attrs.frozen(slots=True)
class Unix:
    """A unix socket. @ivar path: a file; empty for an unnamed client."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"


@attrs.frozen(slots=True)
class Inherited:
    """A listening socket handed over by systemd. @ivar name: its FileDescriptorName."""

    name: str

    def __str__(self) -> str:
        return f"systemd:{self.name}"


Address = Host | Unix
"""One end of a live connection; also what a backend is reached by."""

BindAddress = Host | Unix | Inherited
"""What a listener waits on."""
