"""docs/howto/git-by-sni.md: git, curl and openssl, each to the server it names."""

from __future__ import annotations

from collections import Counter

from tests.peers.cookbook import ANY, CookbookCase, words
from tests.peers.servers import Site, certificate, git_over_http, nginx, tls_server
from tests.peers.stage import Ran

GIT, LAB, CHAT, WEB = (f"{name}.example.org" for name in ("git", "git-lab", "im", "a"))

SETTINGS = """
[user]
name = Somebody
email = somebody@example.org
[init]
defaultBranch = main
[http]
"""


class GitBySniTests(CookbookCase):
    """The first of git's two servers is down; the second one is there."""

    page = "git-by-sni"

    def setUp(self) -> None:
        super().setUp()
        ports = {name: self.reserve() for name in ("down", GIT, LAB, CHAT, WEB)}
        certificate(self, "ca")
        for name in (GIT, LAB, WEB):
            (self.folder / name).mkdir()
            certificate(self, name, "ca")
        nginx(
            self,
            *(
                Site(name, ports[name], tls=True, more=git_over_http(self, name))
                for name in (GIT, LAB)
            ),
            Site(WEB, ports[WEB], tls=True),
        )
        there = {
            "10.0.0.5:443": "down",
            "10.0.0.6:443": GIT,
            "10.0.0.9:443": LAB,
            "10.0.0.7:5223": CHAT,
            "10.0.0.8:443": WEB,
        }
        self.chat_port = ports[CHAT]
        places = {old: f"127.0.0.1:{ports[name]}" for old, name in there.items()}
        self.running = self.front_of("portmux.conf", {"*:443": ANY, **places})
        self.port = self.running.port()

    def routes(self, count: int) -> Counter[str]:
        """@return: how often each route was taken."""
        numbers = range(1, count + 1)
        return Counter(self.record(self.running, n)["route"] for n in numbers)

    def git(self, lead: bool = True) -> str:
        """
        @param lead: both names lead to portmux.
        @return: what C{git} is: without settings of this machine and user.
        """
        settings = SETTINGS
        for name in (GIT, LAB) if lead else ():
            settings += f"curloptResolve = {name}:{self.port}:127.0.0.1\n"
        file = self.write(settings, f"settings-{lead}")
        variables = {
            "GIT_CONFIG_NOSYSTEM": 1,
            "GIT_CONFIG_GLOBAL": file,
            "GIT_SSL_CAINFO": self.folder / "ca.pem",
            "NO_PROXY": "*",
        }
        return words("env", *(f"{k}={v}" for k, v in variables.items()), "git")

    def repository(self, name: str) -> None:
        """Have a server hold one with a file, which says the server's name."""
        git, bare = self.git(), f"{name}/code.git"
        script = f"""
            {git} init -q --bare {bare}
            {git} init -q seed-{name}
            echo {name} >seed-{name}/where
            {git} -C seed-{name} add where
            {git} -C seed-{name} commit -q -m begin
            {git} -C seed-{name} push -q ../{bare} main
        """
        self.ask("sh", "-ec", script).checked()

    def in_work(self, line: str) -> Ran:
        """@return: what becomes of a command of the page, in a folder C{work}."""
        (self.folder / "work").mkdir(exist_ok=True)
        program, first, *_ = line.split()
        changes = {f"{program} {first} ": f"cd work && {self.git()} {first} "}
        if "https:" in line:
            changes["example.org/"] = f"example.org:{self.port}/"
        return self.typed(line, changes)

    def test_two_servers(self) -> None:
        """Clone from both, push to one: each is the server of its name."""
        for name in (GIT, LAB):
            self.repository(name)
        self.in_work("git clone https://git.example.org/code.git").checked()
        self.in_work("git clone https://git-lab.example.org/code.git lab").checked()
        work = self.folder / "work"
        self.assertEqual((work / "code/where").read_text(), f"{GIT}\n")
        self.assertEqual((work / "lab/where").read_text(), f"{LAB}\n")
        commit = f"{self.git()} -C work/lab commit -q --allow-empty -m pushed"
        self.ask("sh", "-c", commit).checked()
        self.in_work("git -C lab push").checked()
        for name, last in ((GIT, b"begin"), (LAB, b"pushed")):
            log = f"{self.git()} -C {name}/code.git log -1 --format=%s"
            self.assertEqual(self.ask("sh", "-c", log).checked().strip(), last)
        routes = self.routes(3)
        self.assertEqual(set(routes), {"git", "lab"})
        self.assertEqual(self.record(self.running)["attempts"], "2")

    def test_before_names_lead_there(self) -> None:
        """The page's own way of telling git where a name leads."""
        self.repository(GIT)
        line = (
            "git -c http.curloptResolve=git.example.org:443:192.0.2.1"
            " ls-remote https://git.example.org/code.git"
        )
        changes = {
            "git -c": f"{self.git(lead=False)} -c",
            ":443:192.0.2.1": f":{self.port}:127.0.0.1",
            "example.org/": f"example.org:{self.port}/",
        }
        self.assertIn(b"refs/heads/main", self.typed(line, changes).checked())
        self.assertEqual(self.routes(1), {"git": 1})

    def test_chat_and_web(self) -> None:
        """By ALPN as well, by a glob, and who names nobody is closed."""
        tls_server(self, self.chat_port, "im", ("-alpn", "xmpp-client"))
        there = ("-connect", f"127.0.0.1:{self.port}")
        named = ("-servername", "chat.example.org", "-alpn", "xmpp-client")
        client = ("openssl", "s_client", "-quiet", *there)
        said = self.ask(*client, *named, data=b"drawer\nCLOSE\n").out
        self.assertEqual(said, b"reward\n")
        (self.folder / WEB / "index.html").write_text("a page\n")
        curl = ("curl", "-q", "-sS", "--noproxy", "*", "--cacert", "ca.pem")
        lead = ("--connect-to", f"::127.0.0.1:{self.port}")
        page = self.ask(*curl, *lead, f"https://{WEB}/").checked()
        self.assertEqual(page, b"a page\n")
        self.assertNotEqual(self.ask(*client, "-noservername").status, 0)
        self.assertEqual(self.routes(3), {"chat": 1, "web": 1, "fallback": 1})
