"""Test portmux.app.force; tests.app.test_administration has the whole program."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Collection

from twisted.trial.unittest import SynchronousTestCase

from portmux.app import build, force
from portmux.app.sockets import Sockets
from portmux.app.steering import SOCKET
from portmux.config.changes import Changes, Limits
from portmux.config.model import Config
from portmux.config.sources.tunnel import tunnel
from portmux.config.tunnels import Tunnels
from portmux.core.address import BindAddress, Host, Unix
from portmux.net.listen import BindError, Listening, shut


class Holder:
    """Owns sockets, and waits on none of them."""

    def __init__(self) -> None:
        self.open: dict[BindAddress, list[socket.socket]] = {}

    def add(self, address: BindAddress, sockets: list[socket.socket]) -> None:
        self.open[address] = sockets

    def remove(self, address: BindAddress) -> list[socket.socket]:
        return self.open.pop(address)

    def sockets(self, address: BindAddress) -> list[socket.socket]:
        return self.open[address]


class ChangedTests(SynchronousTestCase):
    def test_all(self) -> None:
        """Tunnels are listeners, and have the limits that were changed."""
        read = Config(tunnels=Tunnels((tunnel("1=2"),)))
        made = Changes().opened(tunnel("3=4")).without("gone")
        made = made.limited("127.0.0.1:3", Limits(), {"connections": 5})
        config, kept = force.changed(read, made, os.getcwd())
        self.assertEqual(list(config.listeners), ["127.0.0.1:1", "127.0.0.1:3"])
        self.assertEqual(config.listeners["127.0.0.1:3"].limits.connections, 5)
        self.assertEqual(kept.closed, ())
        self.assertEqual(kept.tunnels, made.tunnels)


class OpenedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.taken.close)
        self.busy = self.taken.getsockname()[1]
        self.sockets = Sockets({})
        self.addCleanup(self.sockets.close)
        self.holder = Holder()

    def open(
        self,
        *tunnels: str,
        start: str = "any",
        usual: str = "",
        missing: Collection[str] = (),
    ) -> list[str]:
        """@return: names of the listeners that are open."""
        read = Config(tunnels=Tunnels(tuple(map(tunnel, tunnels))))
        config, _ = force.changed(read, Changes(), os.getcwd())
        wanted = build.listenings(config)
        if usual:
            wanted[SOCKET] = {Unix(usual): Listening(Unix(usual))}
        owners = dict.fromkeys(wanted, self.holder)
        whole = start == "whole"
        found, failed = force.opened(
            self.sockets, config, wanted, owners, whole, missing
        )
        self.assertEqual(failed - {SOCKET}, config.listeners.keys() - found.listeners)
        return list(found.listeners)

    def test_whole(self) -> None:
        """All or nothing."""
        self.assertRaises(BindError, self.open, f"{self.busy}=1", "0=1", start="whole")
        self.assertEqual(len(self.sockets), 0)
        self.assertEqual(self.open("0=1", start="whole"), ["127.0.0.1:0"])

    def test_any(self) -> None:
        """What can be had."""
        found = self.open(f"{self.busy}=1", "0=1")
        self.assertEqual(found, ["127.0.0.1:0"])
        self.assertRaises(
            BindError,
            Sockets({}).apply,
            {
                "x": {
                    Host("127.0.0.1", self.busy): Listening(
                        Host("127.0.0.1", self.busy)
                    )
                }
            },
            {"x": self.holder},
        )

    def test_missing(self) -> None:
        """The whole, but for what could not be had before; that is tried again."""
        missing = [f"127.0.0.1:{self.busy}"]
        found = self.open(f"{self.busy}=1", "0=1", start="whole", missing=missing)
        self.assertEqual(found, ["127.0.0.1:0"])
        self.taken.close()
        found = self.open(f"{self.busy}=1", "0=1", start="whole", missing=missing)
        self.assertEqual(found, [*missing, "127.0.0.1:0"])

    def test_none(self) -> None:
        """At the start that is too little; what else was opened is closed."""
        usual = os.path.join(self.folder, "control")
        self.assertRaises(BindError, self.open, f"{self.busy}=1", usual=usual)
        self.assertEqual((len(self.sockets), os.path.exists(usual)), (0, False))
        self.open("0=1")
        self.assertEqual(self.open(f"{self.busy}=1"), [])

    def test_usual_socket(self) -> None:
        """It is nobody's fault if there is another."""
        usual = os.path.join(self.folder, "control")
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(usual)
            other.listen()
            found = self.open("0=1", start="whole", usual=usual)
            self.assertEqual(found, ["127.0.0.1:0"])

    def test_stays(self) -> None:
        """What is open is not closed for the sake of what is not."""
        self.open("0=1")
        (before,) = self.holder.open.values()
        self.open("0=1", f"{self.busy}=1")
        (after,) = self.holder.open.values()
        self.assertIs(before[0], after[0])
        shut(self.taken)
