"""Tests for L{portmux.commands.scripts}; tests/peers has real shells complete."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.commands.scripts import SHELLS, Argument, Command, Kind, bash, zsh

COMMANDS = [
    Command(
        "go",
        "where it's [up]: there",
        (
            Argument(("-h", "--help"), "help", Kind.NOTHING),
            Argument(("--to",), "a\\b: c", Kind.WORDS, "PLACE", ("here", "there")),
            Argument(("--with",), "this", Kind.TEXT, "WHAT", many=True),
            Argument((), "read", Kind.FILE, "FILE"),
        ),
    ),
    Command("stay", "", (Argument((), "", Kind.ROUTE, "R", ("x=", "y="), many=True),)),
]


class ScriptTests(SynchronousTestCase):
    def test_shells(self) -> None:
        """Those that there are."""
        self.assertEqual(dict(SHELLS), {"bash": bash, "zsh": zsh})

    def test_bash(self) -> None:
        """Commands, values of options, options and words."""
        script = bash(COMMANDS)
        for line in (
            "    ,*) _portmux_words go stay --help --version ;;",
            "    go,--to) _portmux_words here there; return ;;",
            "    go,--with) return ;;",
            "    go,-*) _portmux_words -h --help --to --with ;;",
            "    go,*) _portmux_files ;;",
            "    stay,*) _portmux_routes x= y= ;;",
        ):
            self.assertIn(f"\n{line}\n", script)

    def test_zsh(self) -> None:
        """The same with what each is for; quotes and brackets do no harm."""
        script = zsh(COMMANDS)
        for part in (
            r"'go:where it'\''s [up]: there'",
            r"'(--to)'--to'[a\\b\: c]:PLACE:(here there)'",
            "'*'--with'[this]:WHAT: '",
            "'(-h --help)'{-h,--help}'[help]'",
            "'1:FILE:_files'",
            "'*:R:_portmux_routes x= y='",
        ):
            self.assertIn(part, script)
        self.assertTrue(script.startswith("#compdef portmux\n"))
