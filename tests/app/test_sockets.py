"""Test portmux.app.sockets; that TCP addresses behave so, tests/integration show."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path

from twisted.logger import Logger

from portmux.app.sockets import Sockets
from portmux.core.address import BindAddress, Unix
from portmux.net.accept import Acceptor
from portmux.net.accepting import Accepting
from portmux.net.listen import BindError, Listening
from tests.net.stage import StageCase


def mode(path: str) -> int:
    """@return: the permissions of a file."""
    return os.stat(path).st_mode & 0o777


class SocketsTests(StageCase):
    def setUp(self) -> None:
        super().setUp()
        self.sockets = Sockets({})
        self.owners = {
            name: Accepting(name, Logger(), self._acceptor) for name in ("one", "two")
        }
        self.addCleanup(self.sockets.close)

    def _acceptor(self, address: BindAddress, sock: socket.socket) -> Acceptor:
        raise AssertionError("nobody accepts here")

    def apply(self, **wanted: Sequence[str | Listening]) -> None:
        """@param wanted: by listener, what it is to have: names of files, or more."""
        self.sockets.apply(
            {
                name: {one.address: one for one in map(self.listening, each)}
                for name, each in wanted.items()
            },
            self.owners,
        )

    def refused(self, **wanted: Sequence[str | Listening]) -> str:
        """@return: why it cannot be had."""
        return str(self.assertRaises(BindError, self.apply, **wanted))

    def listening(self, wanted: str | Listening) -> Listening:
        if isinstance(wanted, Listening):
            return wanted
        return Listening(Unix(self.path(wanted)))

    def owned(self, name: str, file: str) -> list[socket.socket]:
        """@return: the sockets that a listener has for a file."""
        return self.owners[name].sockets(Unix(self.path(file)))

    def is_open(self, file: str) -> bool:
        """@return: whether somebody listens there."""
        client = self.keep(socket.socket(socket.AF_UNIX))
        return client.connect_ex(self.path(file)) == 0

    def test_opens_and_closes(self) -> None:
        """What is asked for is open, nothing else, and no file is left."""
        self.apply(one=["a", "b"], two=["c"])
        self.assertEqual([self.is_open(name) for name in "abc"], [True] * 3)
        self.assertEqual(len(self.sockets), 3)
        self.apply(one=["b"])
        self.assertEqual([self.is_open(name) for name in "abc"], [False, True, False])
        self.assertEqual(len(self.sockets), 1)
        self.sockets.close()
        self.assertEqual(list(Path(self.path(".")).iterdir()), [])

    def test_what_stays_is_not_touched(self) -> None:
        """It is the same socket."""
        self.apply(one=["a"], two=["b"])
        before = self.owned("one", "a")
        self.apply(one=["a", "c"], two=["d"])
        self.assertIs(self.owned("one", "a"), before)

    def test_moves(self) -> None:
        """An address that another listener gets is open all the while."""
        self.apply(one=["a"], two=["b"])
        first, second = self.owned("one", "a"), self.owned("two", "b")
        self.apply(one=["b"], two=["a"])
        self.assertIs(self.owned("two", "a"), first)
        self.assertIs(self.owned("one", "b"), second)

    def test_one_cannot_be_opened(self) -> None:
        """Then everything is as it was."""
        self.apply(one=["a"], two=["b"])
        before = self.owned("one", "a")
        why = self.refused(one=["a", "c", "no/such/folder"], two=[])
        self.assertIn("no/such/folder: no such file or directory", why)
        self.assertIs(self.owned("one", "a"), before)
        self.assertEqual([self.is_open(name) for name in "abc"], [True, True, False])
        self.assertFalse(os.path.exists(self.path("c")))
        self.apply(one=["a", "c"], two=["b"])
        self.assertEqual([self.is_open(name) for name in "abc"], [True] * 3)

    def test_options_change(self) -> None:
        """The file of an open socket gets its new permissions."""
        address = Unix(self.path("a"))
        self.apply(one=[Listening(address, mode=0o600)])
        before = self.owned("one", "a")
        self.apply(one=[Listening(address, mode=0o660)])
        self.assertEqual(mode(address.path), 0o660)
        self.assertIs(self.owned("one", "a"), before)

    def test_option_of_what_moves(self) -> None:
        """A listener may take an address over and change it at once."""
        address = Unix(self.path("a"))
        self.apply(one=[Listening(address, mode=0o600)], two=["b"])
        before = self.owned("one", "a")
        self.apply(one=["b"], two=[Listening(address, mode=0o666)])
        self.assertIs(self.owned("two", "a"), before)
        self.assertEqual(mode(address.path), 0o666)

    def test_option_cannot_be_changed(self) -> None:
        """What was changed before it is changed back, and nothing is opened."""
        first, second = Unix(self.path("a")), Unix(self.path("b"))
        self.apply(one=[Listening(first, mode=0o600), Listening(second, mode=0o600)])
        wrong = Listening(second, mode=0o600, owner="no-such-user")
        why = self.refused(one=[Listening(first, mode=0o660), wrong, "c"])
        self.assertIn(f"cannot change {second}", why)
        self.assertEqual(mode(first.path), 0o600)
        self.assertFalse(self.is_open("c"))
        self.apply(one=[Listening(first, mode=0o640), Listening(second, mode=0o600)])
        self.assertEqual(mode(first.path), 0o640)

    def test_options_when_another_address_cannot_be_had(self) -> None:
        """They are changed back as well."""
        address = Unix(self.path("a"))
        self.apply(one=[Listening(address, mode=0o600)])
        self.refused(one=[Listening(address, mode=0o660), "no/such/folder"])
        self.assertEqual(mode(address.path), 0o600)

    def test_nothing(self) -> None:
        """Nothing can be asked for, before and after."""
        self.apply()
        self.assertEqual(len(self.sockets), 0)
        self.apply(one=["a"])
        self.apply()
        self.assertEqual(len(self.sockets), 0)
