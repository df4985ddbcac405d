"""Programs at a terminal of portmux, and people at the other end of the line."""

from __future__ import annotations

from tests.peers.stage import PeersCase

CONFIG = """
listeners:
  front:
    bind: "127.0.0.1:0"
    sniff: {timeout: 30s, silent: 200ms}
    routes:
      - name: where
        match: {prefix: "where"}
        exec:
          command: [sh, -c, "tty; stty -a; cat; echo over >/dev/tty"]
          pty: true
      - name: python
        match: {prefix: "import"}
        exec: {command: [python3, -i, -q], pty: true}
    silent:
      exec:
        command: [sh, -c, "exec bash --norc --noprofile -i 2>&1"]
        pty: true
        environment: {PS1: "ready> ", TERM: dumb}
"""


class TerminalTests(PeersCase):
    """A program cannot tell portmux's terminal from another one."""

    def setUp(self) -> None:
        super().setUp()
        self.running = self.front(CONFIG)
        self.nc = ("nc", "-N", "127.0.0.1", str(self.running.port()))

    def end(self) -> tuple[str, str, str]:
        """@return: how the first session has ended, and by which route it went."""
        record = self.record(self.running)
        return record["route"], record["end"], record["detail"]

    def test_it_is_a_terminal(self) -> None:
        """It has a name, settings, an echo, an end of file, and is C{/dev/tty}."""
        said = self.ask(*self.nc, data=b"where\n").checked()
        self.assertEqual(said.count(b"where\r\n"), 2, said)
        self.assertIn(b"/dev/pts/", said)
        self.assertIn(b" icanon ", said)
        self.assertTrue(said.endswith(b"\r\nwhere\r\nover\r\n"), said)
        self.assertEqual(self.end(), ("where", "done", "exit status 0"))

    def test_python(self) -> None:
        """It prompts as for a person; a client that finishes ends it as ^D does."""
        talk = self.talk(*self.nc)
        talk.say(b"import os\n")
        talk.hear(b">>> ")
        talk.say(b"print(6 * 7, os.isatty(0))\n")
        talk.hear(b"42 True\r\n>>> ")
        talk.finish()
        talk.rest()
        self.assertEqual(self.end(), ("python", "done", "exit status 0"))

    def test_a_person(self) -> None:
        """From terminal to terminal: prompt, ^C, job control, ^D."""
        there = f"TCP:127.0.0.1:{self.running.port()}"
        person = self.talk_by_terminal("socat", "STDIO,raw,echo=0", there)
        person.hear(b"ready> ")
        # The quotes keep what it says apart from the echo of what is typed.
        person.say(b"sh -c 'echo wait''ing; exec cat'\r")
        person.hear(b"waiting\r\n")
        person.say(b"\x03")  # ^C
        person.hear(b"ready> ")
        person.say(b"echo =$?=\r")
        person.hear(b"=130=\r\n")  # 128 and SIGINT
        person.say(b"sleep 1000 & kill %1; wait; exit 3\r")
        person.rest()
        self.assertEqual(person.status(), 0)
        self.assertEqual(self.end(), ("silent", "done", "exit status 3"))
