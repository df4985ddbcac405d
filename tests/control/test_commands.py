"""Tests for L{portmux.control.commands}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.control.commands import ALL, PLEXY, TABLES
from portmux.control.handling import HANDLERS
from portmux.control.running import FILLED

MOUTHS = {"EXIT", "HELP", "AUTH", "WATCH"}
"""What mouths see to themselves."""


class TableTests(SynchronousTestCase):
    def test_each_is_handled(self) -> None:
        """There is a function for each, and a command for each function."""
        self.assertTrue(FILLED)
        wanted = {each.kind for each in ALL if each.word not in MOUTHS}
        self.assertEqual(set(HANDLERS), wanted)

    def test_names_are_unique(self) -> None:
        words = [each.word for each in ALL if each.word is not None]
        methods = [each.method for each in ALL if each.method is not None]
        self.assertEqual(len(words), len(set(words)))
        self.assertEqual(len(methods), len(set(methods)))
        self.assertTrue(all(word == word.upper() for word in words))

    def test_each_says_what_it_is(self) -> None:
        """One sentence, and one clause for each thing that it takes."""
        for each in ALL:
            self.assertTrue(each.help.endswith("."), each.kind)
            for parameter in each.parameters:
                self.assertTrue(parameter.help, each.kind)
                self.assertFalse(parameter.help.endswith("."), each.kind)

    def test_plexy(self) -> None:
        """Its eight commands and its eight methods."""
        self.assertEqual(
            [each.plexy for each in PLEXY if each.plexy],
            [
                "OPEN tunnel",
                "CLOSE tunnel",
                "ADD socket_address",
                "REMOVE socket_address",
                "STATUS [full|long]",
                "DETAIL tunnel",
                "EXIT",
                "HELP",
            ],
        )
        self.assertEqual(
            {each.method for each in PLEXY if each.method},
            {
                "numberOfTunnels",
                "listTunnels",
                "tunnelInfo",
                "remotes",
                "openTunnel",
                "closeTunnel",
                "addRemote",
                "removeRemote",
            },
        )
        self.assertEqual(ALL[: len(PLEXY)], PLEXY)
        self.assertEqual(set(TABLES.values()), {ALL, PLEXY})

    def test_nothing_can_be_run(self) -> None:
        """No command has anything to do with programs."""
        for each in ALL:
            names = {parameter.name for parameter in each.parameters}
            self.assertTrue(names.isdisjoint({"exec", "program", "action"}), each)
