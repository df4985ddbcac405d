"""Test portmux.app.units; systemd itself reads such a unit in .ci/debian."""

from __future__ import annotations

from configparser import RawConfigParser

from twisted.trial.unittest import SynchronousTestCase

from portmux.app.units import is_ours, quoted, service


def parsed(text: str) -> RawConfigParser:
    """@return: the sections of a unit; of a name that repeats, the last value."""
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as documented
    parser.read_string(text)
    return parser


class ServiceTests(SynchronousTestCase):
    def test_command(self) -> None:
        """It runs in the foreground, from where install was called."""
        unit = parsed(service(("/venv/bin/python", "-c", "a b"), "/opt/5%", None))
        self.assertEqual(unit["Service"]["ExecStart"], '/venv/bin/python -c "a b"')
        self.assertEqual(unit["Service"]["WorkingDirectory"], "/opt/5%%")
        self.assertEqual(unit["Service"]["Type"], "notify")
        self.assertEqual(unit["Service"]["RuntimeDirectory"], "portmux")
        self.assertEqual(unit["Install"]["WantedBy"], "multi-user.target")

    def test_root(self) -> None:
        """Without a user nothing is given up: programs may run as any user."""
        unit = parsed(service(("/x",), "/", None))["Service"]
        self.assertNotIn("User", unit)
        self.assertNotIn("CapabilityBoundingSet", unit)

    def test_user(self) -> None:
        """Who may open low ports, and nothing more."""
        unit = parsed(service(("/x",), "/", "porter"))["Service"]
        self.assertEqual(unit["User"], "porter")
        self.assertEqual(unit["AmbientCapabilities"], "CAP_NET_BIND_SERVICE")
        self.assertEqual(unit["CapabilityBoundingSet"], "CAP_NET_BIND_SERVICE")

    def test_is_ours(self) -> None:
        """Only what begins as ours do."""
        text = service(("/x",), "/", None)
        self.assertTrue(is_ours(text))
        for other in ("", "[Unit]\n", "\n" + text):
            self.assertFalse(is_ours(other))


class QuotedTests(SynchronousTestCase):
    def test_words(self) -> None:
        """Nothing in a word is taken for a separator, a variable or a specifier."""
        for word, text in (
            ("-c", "-c"),
            ("/etc/portmux.conf", "/etc/portmux.conf"),
            ("ssh=127.0.0.1:22", "ssh=127.0.0.1:22"),
            ("", '""'),
            (";", '";"'),
            ("a b", '"a b"'),
            ("it's", '"it\'s"'),
            ("${HOME}", '"$${HOME}"'),
            ("100%", '"100%%"'),
            ('say "x"', '"say \\"x\\""'),
            ("\\n", '"\\\\n"'),
            ("a\nb\x7f", '"a\\x0ab\\x7f"'),
            ("größe", '"größe"'),
        ):
            self.assertEqual(quoted(word), text)
