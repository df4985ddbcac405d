"""Test portmux.commands.talk; tests/integration has a program at the other end."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading

from twisted.trial.unittest import SynchronousTestCase

from portmux.commands.talk import Refused, Talk, Unreachable, places
from portmux.core.address import Unix


class TalkTests(SynchronousTestCase):
    def setUp(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.addCleanup(self.theirs.close)
        self.talk = Talk(ours, "there")
        self.addCleanup(self.talk.close)

    def answer(self, text: str) -> None:
        """What the other side says next, whatever it is asked."""
        self.theirs.sendall(text.encode())

    def asked(self) -> str:
        return self.theirs.recv(65536).decode()

    def test_text(self) -> None:
        """The reply ends where the next one begins."""
        self.answer('OK: Tunnels: 1\n\tone\n\t  two\n{"x":1}\n')
        self.assertEqual(self.talk.text("status full"), ["Tunnels: 1", "one", "  two"])
        self.assertTrue(self.asked().startswith("status full\n{"))
        self.answer('OK\n{"x":1}\n')
        self.assertEqual(self.talk.text("open 1=2"), [])
        self.answer('OK: Remotes: 0\n\n{"x":1}\n')
        self.assertEqual(self.talk.text("detail 1"), ["Remotes: 0"])

    def test_refused(self) -> None:
        self.answer('SORRY: no\n{"x":1}\n')
        error = self.assertRaises(Refused, self.talk.text, "x")
        self.assertEqual(str(error), "no")
        wrong = '{"code":1,"message":"m","data":"d"}'
        self.answer(f'{{"jsonrpc":"2.0","error":{wrong},"id":1}}\n')
        error = self.assertRaises(Refused, self.talk.call, "x", {})
        self.assertEqual(str(error), "m: d")

    def test_cut_off(self) -> None:
        """A token that is wrong ends the connection."""
        self.answer("SORRY: This is not the token\n")
        self.theirs.shutdown(socket.SHUT_WR)
        self.assertRaises(Refused, self.talk.say, "x")
        self.assertRaises(Unreachable, self.talk.call, "x", {})

    def test_call(self) -> None:
        self.answer('{"jsonrpc":"2.0","result":[1],"id":1}\n')
        self.assertEqual(self.talk.call("m", {"a": 1}), [1])
        self.assertIn('"params": {"a": 1}', self.asked())

    def test_events(self) -> None:
        self.answer('{"jsonrpc":"2.0","result":null,"id":1}\n')
        self.answer('{"jsonrpc":"2.0","method":"event","params":{"event":"x"}}\n')
        self.assertEqual(next(self.talk.events()), {"event": "x"})


class PlaceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def test_places(self) -> None:
        """The user's own goes first."""
        system = Unix("/run/portmux/control")
        self.assertEqual(places({}), [system])
        own = Unix("/run/user/1/portmux/control")
        self.assertEqual(places({"XDG_RUNTIME_DIR": "/run/user/1"}), [own, system])

    def test_unreachable(self) -> None:
        """It says where it has looked."""
        environ = {"XDG_RUNTIME_DIR": self.folder}
        where = f"unix:{self.folder}/nobody"
        error = self.assertRaises(Unreachable, Talk.to, where, environ)
        self.assertIn(f"no portmux at {where}: no such file", str(error))
        self.assertRaises(ValueError, Talk.to, "x", environ)

    def test_reached(self) -> None:
        os.mkdir(f"{self.folder}/portmux")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"{self.folder}/portmux/control")
            server.listen()
            talk = Talk.to(None, {"XDG_RUNTIME_DIR": self.folder})
            self.addCleanup(talk.close)
            accepted, _ = server.accept()
        with accepted:
            answer = threading.Thread(target=accepted.sendall, args=(b"OK\n{}\n",))
            answer.start()
            talk.say("token")
            answer.join()
            self.assertTrue(accepted.recv(99).startswith(b"AUTH token\n"))
