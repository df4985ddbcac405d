"""Test portmux.app.lacking, with real files."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from portmux.app.build import registry
from portmux.app.inputs import NONE, inputs
from portmux.app.lacking import look
from portmux.config.faults import Faults
from portmux.config.load import load
from portmux.errors import ConfigError

FRONT = 'bind: "127.0.0.1:1"'


class LookTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def look(self, *settings: str) -> tuple[list[str], list[str]]:
        """@return: faults and warnings, without the layer."""
        given = inputs(NONE, None, settings, {})
        faults = Faults()
        look(load(given), given.registry, faults)
        wrong: list[str] = []
        try:
            faults.check()
        except ConfigError as error:
            wrong += error.faults
        plain = [one.removeprefix("--set ") for one in (*wrong, *faults.warnings)]
        return plain[: len(wrong)], plain[len(wrong) :]

    def test_nothing(self) -> None:
        """All is there that a file may name."""
        token = self.folder / "token"
        token.write_text("secret\n")
        found = self.look(
            f'listeners.a={{{FRONT}, exec: [sh, -c, "true"]}}',
            f'listeners.b={{bind: {{address: "unix:{token}.s", owner: root:root}},'
            ' forward: {to: "h:1", tls: {}}}',
            f"control.token-file={token}",
            f"pid={self.folder}/pid",
            'tunnels=["2=3"]',
        )
        self.assertEqual(found, ([], []))

    def test_owner(self) -> None:
        for owner, said in (("no-such", 'user "no-such"'), ("root:nope", '"nope"')):
            text = f'[{{address: "unix:{self.folder}/s", owner: "{owner}"}}]'
            (fault,), warnings = self.look(f"listeners.a={{bind: {text}, echo: }}")
            self.assertTrue(
                fault.startswith("listeners.a: bind.0.owner: there is no "), fault
            )
            self.assertIn(said, fault)
            self.assertEqual(warnings, [])

    def test_program(self) -> None:
        """A warning: it may be there in time."""
        plain = self.folder / "plain"
        plain.write_text("")
        for action, said in (
            ("[no-such-program, x]", 'exec.command: warning: there is no program "no-'),
            (f"[{plain}.sh]", "exec.command: warning: there is no program"),
            (f"[{plain}]", f"exec.command: warning: {plain} is no program that"),
            (
                "{command: [sh], environment: {PATH: /nowhere}}",
                'exec.command: warning: there is no program "sh"',
            ),
            (
                "{command: [sh], directory: /no/such}",
                "exec.directory: warning: there is no directory /no/such",
            ),
        ):
            route = f"routes: [{{name: r, match: ssh, exec: {action}}}]"
            faults, (warning,) = self.look(f"listeners.a={{{FRONT}, {route}}}")
            self.assertEqual(faults, [])
            self.assertIn(f"listeners.a: routes.0.{said}", warning)
            route = "routes: {name: r, match: ssh, close: }"
            once = f"{route}, fallback: {{exec: {action}}}"
            _, (warning,) = self.look(f"listeners.a={{{FRONT}, {once}}}")
            self.assertIn(f"listeners.a: fallback.{said}", warning)

    def test_certificates(self) -> None:
        """A fault where a file is not there, or not what it should be."""
        text = self.folder / "text"
        text.write_text("no certificate\n")
        for tls, said in (
            ("ca-bundle: /no/ca", "ca-bundle: /no/ca cannot be read: no such file"),
            (f"ca-bundle: {text}", f"ca-bundle: {text}: is no PEM file of cert"),
            (f"certificate: {text}, key: /no/key", "key: /no/key cannot be read"),
        ):
            (fault,), warnings = self.look(
                f'pools.p={{backends: "h:1", tls: {{{tls}}}}}', "tunnels=['2=3']"
            )
            self.assertIn(f"pools.p: tls.{said}", fault)
            self.assertEqual(warnings, [])
        (fault,), _ = self.look("tunnels={open: ['2=3'], ca-bundle: /no/ca}")
        self.assertIn("tunnels: ca-bundle: /no/ca cannot be read", fault)

    def test_unreadable(self) -> None:
        """A warning: for whom portmux runs as it may be otherwise."""
        if os.geteuid() == 0:
            os.seteuid(65534)
            self.addCleanup(os.seteuid, 0)
        key = Path("/proc/1/environ")
        faults, (warning,) = self.look(f"control.token-file={key}", "tunnels=['2=3']")
        self.assertEqual(faults, [])
        self.assertIn(f"control.token-file: warning: {key} cannot be read by", warning)

    def test_state(self) -> None:
        """It is read at the start."""
        kept = self.folder / "state"
        kept.write_text("levels: {net: debug}\n")
        self.assertEqual(self.look(f"state={kept}", "tunnels=['2=3']"), ([], []))
        kept.write_text("bogus: 1\nlevel: loud\n")
        faults, _ = self.look(f"state={kept}", "tunnels=['2=3']")
        self.assertIn(f"{kept}:1:1: bogus: unknown key", faults[0])
        self.assertIn(f"{kept}:2:8: level:", faults[1])

    def test_every_kind(self) -> None:
        """Whatever a configuration holds can be looked at."""
        for name in Path(__file__).parents[2].glob("conf/*.conf"):
            given = inputs(str(name), None, [], {})
            look(load(given), registry(), Faults())
