"""Tests for L{portmux.net.contexts}."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.reach import Tls
from portmux.errors import ConfigError
from portmux.net.contexts import Contexts
from tests.net.tls import make_certificate


class ContextsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.pem = str(self.folder / "a.pem")
        make_certificate(self.pem)
        self.contexts = Contexts()

    def faults(self, *wanted: Tls) -> list[str]:
        error = self.assertRaises(ConfigError, self.contexts.read, wanted)
        return list(error.faults)

    def test_made_once(self) -> None:
        """Equal options share a context, whether it was read before or not."""
        tls = Tls(ca_bundle=self.pem, certificate=self.pem)
        context = self.contexts.get(tls)
        self.assertIs(
            self.contexts.get(Tls(ca_bundle=self.pem, certificate=self.pem)), context
        )
        fresh = self.contexts.read([tls])
        self.assertIs(self.contexts.get(tls), context)
        self.contexts.use(fresh)
        self.assertIs(self.contexts.get(tls), fresh[tls])
        self.assertIsNot(fresh[tls], context)

    def test_directory(self) -> None:
        """Relative paths begin where the program was started."""
        contexts = Contexts(str(self.folder.absolute()))
        contexts.get(Tls(ca_bundle="a.pem"))

    def test_system(self) -> None:
        """Without a bundle, the system's roots are trusted."""
        self.contexts.get(Tls(minimum="TLSv1.3"))

    def test_faults(self) -> None:
        """Each file that is no good is told, once, with its option."""
        gone, text = str(self.folder / "gone"), str(self.folder / "text")
        Path(text).write_text("no certificate\n")
        self.assertEqual(
            self.faults(
                Tls(ca_bundle=gone),
                Tls(ca_bundle=gone, minimum="TLSv1.3"),
                Tls(ca_bundle=text),
                Tls(certificate=text),
                Tls(certificate=self.pem, key=text),
            ),
            [
                f"tls.ca-bundle: {gone}: no such file or directory",
                f"tls.ca-bundle: {text}: is no PEM file of certificates",
                f"tls.certificate: {text}: is no PEM file of a certificate",
                f"tls.key: {text}: is no PEM file of a key without a password",
            ],
        )

    def test_key_of_another(self) -> None:
        other = str(self.folder / "b.pem")
        make_certificate(other)
        fault = f"tls.key: {other} is another certificate's"
        self.assertEqual(self.faults(Tls(certificate=self.pem, key=other)), [fault])

    def test_password(self) -> None:
        """Nobody is asked for it on the terminal."""
        key = serialization.load_pem_private_key(Path(self.pem).read_bytes(), None)
        path = str(self.folder / "locked.key")
        Path(path).write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"secret"),
            )
        )
        (fault,) = self.faults(Tls(certificate=self.pem, key=path))
        self.assertEqual(
            fault, f"tls.key: {path}: is no PEM file of a key without a password"
        )

    def test_not_readable(self) -> None:
        os.mkdir(path := str(self.folder / "folder"))
        self.assertEqual(
            self.faults(Tls(ca_bundle=path)), [f"tls.ca-bundle: {path}: is a directory"]
        )
