"""What OpenSSL needs to speak TLS to backends: certificates, keys, trust."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import attrs
from cryptography.hazmat.primitives import serialization
from OpenSSL import SSL, crypto

from portmux.core.reach import Tls
from portmux.errors import ConfigError

_MINIMUM: Final = {"TLSv1.2": SSL.TLS1_2_VERSION, "TLSv1.3": SSL.TLS1_3_VERSION}

Certificates = Mapping[Tls, SSL.Context]
"""What was read for each kind of TLS."""

_EXPECTED: Final = {
    "ca-bundle": "certificates",
    "certificate": "a certificate",
    "key": "a key without a password",
}


@attrs.define(eq=False)
class Contexts:
    """
    One context for each kind of TLS, made once.

    @ivar directory: where relative paths begin.
    """

    directory: str = ""
    _made: Certificates = attrs.field(factory=dict, init=False)

    def read(self, wanted: Iterable[Tls]) -> Certificates:
        """
        Read files anew; to be used once it is sure, by L{use}.

        @raise ConfigError: with every file that is no good.
        """
        made, faults = {}, []
        for tls in wanted:
            try:
                made[tls] = self._context(tls)
            except ConfigError as error:
                faults += [fault for fault in error.faults if fault not in faults]
        if faults:
            raise ConfigError(faults)
        return made

    def use(self, made: Certificates) -> None:
        """Connections from now on have these."""
        self._made = made

    def get(self, tls: Tls) -> SSL.Context:
        """@raise ConfigError: it was not made before, and cannot be."""
        if tls not in self._made:
            self._made = {**self._made, **self.read([tls])}
        return self._made[tls]

    def _context(self, tls: Tls) -> SSL.Context:
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(_MINIMUM[tls.minimum])
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        if tls.ca_bundle is None:
            context.set_default_verify_paths()
        else:
            self._load("ca-bundle", tls.ca_bundle, context.load_verify_locations)
        if tls.certificate is not None:
            chain = context.use_certificate_chain_file
            self._load("certificate", tls.certificate, chain)
            key = tls.key or tls.certificate
            self._load("key", key, lambda path: _use_key(context, path))
        return context

    def _load(self, option: str, name: str, load: Callable[[str], None]) -> None:
        path = os.path.join(self.directory, name)
        try:
            with open(path, "rb"):
                pass  # OpenSSL would not say why it cannot be opened
            load(path)
        except OSError as error:
            why = os.strerror(error.errno or 0).lower()
            raise ConfigError([f"tls.{option}: {path}: {why}"]) from error
        except (SSL.Error, ValueError, TypeError) as error:
            fault = f"tls.{option}: {path}: is no PEM file of {_EXPECTED[option]}"
            raise ConfigError([fault]) from error


def _use_key(context: SSL.Context, path: str) -> None:
    """Not by OpenSSL, which would ask for a password on the terminal."""
    with open(path, "rb") as file:
        key: Any = serialization.load_pem_private_key(file.read(), None)
    try:
        try:
            context.use_privatekey(key)
        except TypeError:  # pyOpenSSL before 24.3 has keys of its own
            context.use_privatekey(crypto.PKey.from_cryptography_key(key))
        context.check_privatekey()
    except SSL.Error:
        fault = f"tls.key: {path} is another certificate's"
        raise ConfigError([fault]) from None
