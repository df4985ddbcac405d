"""Tell whether a client has said the token, in the same time whatever it said."""

from __future__ import annotations

from hmac import compare_digest


def is_token(said: str, token: bytes) -> bool:
    """@return: whether that is it."""
    return compare_digest(token, said.encode("utf-8", "replace"))


def bearer(authorization: str) -> str:
    """
    @param authorization: a header of HTTP.
    @return: the token in it; empty if there is none. RFC 6750 section 2.1.
    """
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
