"""bash and zsh complete command lines of portmux."""

from __future__ import annotations

import contextlib
import os
import pty
import shlex
import subprocess
from collections.abc import Sequence

from tests.integration.processes import PORTMUX, ProcessCase, environment, until
from tests.manual.transcript import DOCS, blocks
from tests.peers.cookbook import CookbookCase
from tests.peers.stage import program

PAGE = DOCS / "howto" / "completion.md"

BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"
"""What Debian has interactive shells read."""

ROUTES = ["always=", "http=", "ssh=", "tls="]

_BASH = """
source ./script
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
eval "$(complete -p portmux | sed 's/.*-F \\([^ ]*\\) .*/\\1/')"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

_ZSH = """
autoload -Uz compinit && compinit -u -D
source ./script
compadd() {
    local -a hits
    if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\\ * ]]; then
        builtin compadd -A hits "$@"
        print -rl -- $hits >>hits
    fi
    builtin compadd "$@"
}
complete-and-note() {
    zle expand-or-complete
    print END >>hits
    zle kill-whole-line
}
zle -N complete-and-note
bindkey '^I' complete-and-note
LISTMAX=1000
print READY >>hits
"""


class CompletionCase(ProcessCase):
    def script(self, shell: str) -> None:
        """Have the script of a shell beside some files."""
        status, out, errors = self.call(*PORTMUX, "completion", shell)
        self.assertEqual((status, errors), (0, ""))
        (self.folder / "script").write_text(out)
        for name in ("one.conf", "a file.conf"):
            (self.folder / name).touch()


class BashTests(CompletionCase):
    def setUp(self) -> None:
        super().setUp()
        self.script("bash")

    def complete(self, *words: str) -> list[str]:
        """@return: what the last word may become, in order."""
        text = _BASH.format(words=" ".join(map(shlex.quote, ("portmux", *words))))
        bash = program("bash")
        status, out, errors = self.call(bash, "--norc", "-u", "-c", text)
        self.assertEqual((status, errors), (0, ""))
        return sorted(out.split("\n")[:-1]) if out.strip() else []

    def test_commands(self) -> None:
        """All, and those that begin so."""
        self.assertEqual(self.complete("che"), ["check"])
        self.assertEqual(self.complete("--v"), ["--version"])
        found = self.complete("")
        for name in ("explain", "run", "completion", "--help"):
            self.assertIn(name, found)

    def test_options(self) -> None:
        """Those of the command, and the values that they take."""
        self.assertEqual(self.complete("explain", "--li"), ["--listener"])
        self.assertEqual(self.complete("check", "--li"), [])
        self.assertEqual(self.complete("check", "--syntax", "t"), ["toml"])
        self.assertEqual(self.complete("explain", "--text", ""), [])
        self.assertEqual(self.complete("completion", ""), ["bash", "zsh"])

    def test_files(self) -> None:
        """Also with blanks in their names."""
        self.assertEqual(self.complete("check", "-c", "one"), ["one.conf"])
        self.assertEqual(self.complete("run", "--config", "a "), ["a file.conf"])
        self.assertEqual(self.complete("portsplit", "o"), ["one.conf"])

    def test_routes(self) -> None:
        """Matchers, once an address to listen on is there."""
        self.assertEqual(self.complete("run", "--listen", "127.0.0.1", ""), ROUTES)
        self.assertEqual(self.complete("run", "--listen", "x", "ssh=y", "h"), ["http="])
        self.assertEqual(self.complete("run", ""), [])
        self.assertEqual(self.complete("run", "--listen", ""), [])


class ZshTests(CompletionCase):
    """An interactive zsh on a terminal of its own, which notes what it finds."""

    def setUp(self) -> None:
        super().setUp()
        self.script("zsh")
        (self.folder / ".zshrc").write_text(_ZSH)
        self.hits = self.folder / "hits"
        self.terminal, child = pty.openpty()
        os.set_blocking(self.terminal, False)
        self.addCleanup(os.close, self.terminal)
        process = subprocess.Popen(
            [program("zsh"), "-i"],
            cwd=self.folder,
            env=environment(ZDOTDIR=str(self.folder), TERM="xterm"),
            stdin=child,
            stdout=child,
            stderr=child,
            start_new_session=True,
        )
        os.close(child)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.noted("READY")

    def noted(self, mark: str) -> Sequence[str]:
        """@return: the lines before a mark, once it is there."""

        def lines() -> list[str]:
            with contextlib.suppress(BlockingIOError):
                os.read(self.terminal, 65536)  # else zsh would wait for room
            return self.hits.read_text().splitlines() if self.hits.exists() else []

        until(lambda: mark in lines(), lambda: f"no {mark} in {lines()}")
        return lines()[: lines().index(mark)]

    def complete(self, line: str) -> list[str]:
        """@return: what the last word may become, in order."""
        self.hits.write_text("")
        os.write(self.terminal, f"portmux {line}\t".encode())
        return sorted(set(self.noted("END")))

    def test_commands(self) -> None:
        """All, and those that begin so."""
        self.assertEqual(self.complete("che"), ["check"])
        self.assertIn("explain", self.complete(""))

    def test_options(self) -> None:
        """Those of the command, and the values that they take."""
        self.assertEqual(self.complete("explain --li"), ["--listener"])
        self.assertEqual(self.complete("check --syntax t"), ["toml"])
        self.assertEqual(self.complete("completion "), ["bash", "zsh"])

    def test_files(self) -> None:
        """Those that are there."""
        self.assertEqual(self.complete("check -c on"), ["one.conf"])
        self.assertEqual(self.complete("portsplit on"), ["one.conf"])

    def test_routes(self) -> None:
        """Matchers, once an address to listen on is there."""
        self.assertEqual(self.complete("run --listen :8443 "), ROUTES)
        self.assertEqual(self.complete("run --listen :8443 ssh=a:1 h"), ["http="])


class PageTests(CookbookCase):
    """Installed as docs/howto/completion.md says, for who sits at a terminal."""

    page = "completion"

    def install(self, shell: str, folder: str, name: str) -> None:
        """Do the two lines of a shell, in a home that is only ours."""
        home = {"~": self.folder}
        self.typed(f"mkdir -p ~/{folder}", home).checked()
        ours = {**home, "portmux completion": f"{shlex.join(PORTMUX)} completion"}
        line = f"portmux completion {shell} > ~/{folder}/{name}"
        self.typed(line, ours).checked()

    def check(self, *shell: str) -> None:
        """A word is completed by the tabulator."""
        home = (f"HOME={self.folder}", f"ZDOTDIR={self.folder}", "TERM=dumb")
        talk = self.talk_by_terminal("env", "-u", "XDG_DATA_HOME", *home, *shell)
        talk.hear(b"ready> ")
        talk.say(b"portmux explain --li\t")
        talk.hear(b"portmux explain --listener")

    def test_bash(self) -> None:
        self.install("bash", ".local/share/bash-completion/completions", "portmux")
        lines = f". {BASH_COMPLETION}\nPS1='ready> '\n"
        self.check("bash", "--rcfile", str(self.write(lines, "rc")), "-i")

    def test_zsh(self) -> None:
        self.install("zsh", ".zfunc", "_portmux")
        (shown,) = (one for one in blocks(PAGE) if one.kind == "zsh")
        self.write(f"{shown.text}PS1='ready> '\n", ".zshrc")
        self.check("zsh", "-i")
