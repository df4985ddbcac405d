"""How a backend is reached, beyond its address."""

from __future__ import annotations

from typing import Final, Literal

import attrs


@attrs.frozen(slots=True)
class Tls:
    """
    Speak TLS to a backend, and know that it is the one that was meant.

    @ivar name: the name that its certificate must have, and that it is asked for
        (RFC 6066 section 3); None: the host of its address.
    @ivar ca_bundle: file of the certificates that are trusted, PEM; None: the
        system's.
    @ivar certificate: file of our own, with its chain, PEM.
    @ivar key: file of its key, PEM; None: it is in the same file.
    @ivar minimum: least version of the protocol.
    """

    name: str | None = None
    ca_bundle: str | None = None
    certificate: str | None = None
    key: str | None = None
    minimum: Literal["TLSv1.2", "TLSv1.3"] = "TLSv1.2"


@attrs.frozen(slots=True)
class Reach:
    """
    @ivar tls: None: plain.
    @ivar resolve: seconds for which a name's addresses are good; None: it is
        resolved for each connection.
    """

    tls: Tls | None = None
    resolve: float | None = None


PLAIN: Final = Reach()
