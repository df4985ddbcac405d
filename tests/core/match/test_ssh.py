"""Tests for L{portmux.core.match.ssh}."""

from __future__ import annotations

from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.head import Verdict
from portmux.core.match import ssh
from portmux.core.match.ssh import Ssh
from portmux.core.registry import Registry
from portmux.testing import (
    assert_every_cut,
    head_of,
    noise,
    recognised,
    verdict_of,
    verdicts,
)
from tests.openings import OPENINGS, named

NO, MORE, YES = Verdict.NO, Verdict.MORE, Verdict.YES

EXAMPLES = (Ssh(),)


class SshTests(SynchronousTestCase):
    def test_openings(self) -> None:
        self.assertEqual(recognised(Ssh(), OPENINGS), named("ssh"))
        for name in named("ssh"):
            assert_every_cut(Ssh(), OPENINGS[name])

    def test_versions(self) -> None:
        """2.0 and what was before it; the dash behind it decides."""
        for opening, verdict in (
            (b"SSH-2.0-", YES),
            (b"SSH-1.99-", YES),
            (b"SSH-1.5-", YES),
            (b"SSH-2.0", MORE),
            (b"SSH-2.1", NO),
            (b"SSH-3", NO),
            (b"SSH-1.999", NO),
            (b"SSH-1.-", NO),
            (b"ssh-", NO),
            (b"SSH_", NO),
            (b"\r\nSSH-2.0-", NO),
        ):
            self.assertIs(verdict_of(Ssh(), opening), verdict, opening)

    def test_early(self) -> None:
        self.assertEqual(verdicts(Ssh(), b"SSX"), [MORE, MORE, MORE, NO])
        self.assertEqual(Ssh().first(), frozenset(b"S"))

    @given(noise([OPENINGS["ssh-openssh"]]))
    def test_noise(self, data: bytes) -> None:
        assert_every_cut(Ssh(), data)


class WhyTests(SynchronousTestCase):
    def test_facts(self) -> None:
        why = Ssh().why(head_of(OPENINGS["ssh-openssh"]))
        facts = (("version", "2.0"), ("software", "OpenSSH_9.2p1"))
        self.assertEqual((why.text, why.facts), ("SSH identification", facts))

    def test_before_the_line_is_whole(self) -> None:
        why = Ssh().why(head_of(b"SSH-2.0-Open"))
        self.assertEqual((why.text, why.facts), ("SSH identification", ()))

    def test_undecided(self) -> None:
        why = Ssh().why(head_of(b"SSH"))
        self.assertEqual(why.text, "3 octets agree, more are needed")

    def test_no(self) -> None:
        why = Ssh().why(head_of(b"SSH-9 x\n"))
        self.assertEqual(why.text, r"no SSH identification starts with SSH-9\x20x\x0a")

    def test_endless_line(self) -> None:
        """RFC 4253 allows 255 octets; more are not gone through."""
        why = Ssh().why(head_of(b"SSH-2.0-" + b"a" * 1000 + b"\n"))
        self.assertEqual(why.facts, ())


class RegisterTests(SynchronousTestCase):
    def test_name(self) -> None:
        registry = Registry()
        ssh.register(registry)
        self.assertEqual(registry.matchers, {"ssh": Ssh})
