"""Tests for L{portmux.config.sources.tunnel}."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.app.build import registry
from portmux.config.load import Inputs, load
from portmux.config.sources.tunnel import (
    Options,
    Tunnel,
    Unparsed,
    called,
    is_meant,
    read,
    shown,
    socket,
    tunnel,
)
from portmux.core.address import Host
from portmux.core.strategies import Strategy
from portmux.errors import ConfigError

HOSTS = st.builds(
    Host,
    st.one_of(
        st.ip_addresses().map(str),
        st.from_regex(r"\A[a-z]([a-z0-9.-]{0,20}[a-z0-9])?\Z"),
    ),
    st.integers(0, 65535),
)
SECONDS = st.one_of(st.none(), st.floats(0, 1000 * 86400))
OPTIONS = st.builds(
    Options,
    st.sampled_from([None, *Strategy]),
    st.one_of(st.none(), st.integers(0, 0xFFFF)),
    SECONDS,
    st.one_of(st.none(), st.integers(0, 0xFFFF_FFFF_FFFF_FFFF)),
    SECONDS,
    st.sampled_from([None, True, False]),
)
TUNNELS = st.builds(
    Tunnel, HOSTS, st.lists(HOSTS, min_size=1, unique=True).map(tuple), OPTIONS
)

SPELLINGS = {
    "random": "random",
    "round-robin": "roundrobin round-robin round_robin",
    "minimum-open-connections": "minimum-open-connections minimum_open_connections"
    " minimumopenconnections min-open-connections min_open_connections"
    " minopenconnections",
}


class TunnelTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """Bare ports, names and both families; options in any order and case."""
        found = tunnel(
            "localhost:1=2,db.example-1.org:3,10.0.0.1:4,[2001:DB8::1]:5"
            "[TIMEOUT=1.5,Strategy=RoundRobin,remote-tls=true,RETRIES=0,errors=2]"
        )
        self.assertEqual(found.local, Host("localhost", 1))
        self.assertEqual(
            found.remotes,
            (
                Host("127.0.0.1", 2),
                Host("db.example-1.org", 3),
                Host("10.0.0.1", 4),
                Host("2001:db8::1", 5),
            ),
        )
        self.assertEqual(
            attrs.astuple(found.options, recurse=False),
            (Strategy.ROUND_ROBIN, 0, 1.5, 2, None, True),
        )

    def test_repeated(self) -> None:
        """The same remote counts once, where it came first; the last option wins."""
        found = tunnel("1=3,2,127.0.0.1:3[errors=1,errors=2]")
        self.assertEqual([host.port for host in found.remotes], [3, 2])
        self.assertEqual(found.options.errors, 2)

    def test_strategies(self) -> None:
        """plexy has ten spellings for three strategies; it reports one of each."""
        for name, spellings in SPELLINGS.items():
            for spelling in spellings.split():
                found = tunnel(f"1=2[strategy={spelling.title()}]").options.strategy
                assert found is not None
                self.assertEqual(called(found), name)

    def test_refused(self) -> None:
        """What was looked for in vain, and where."""
        for text, kind, rest in [
            ("", "Digit", ""),
            ("x=1", "Digit", "x=1"),
            ("3000", "Char", ""),
            ("3000 =1", "Char", " =1"),
            ("3000=", "Digit", ""),
            ("3000=x", "Digit", "x"),
            ("65536=1", "Digit", "65536=1"),
            ("1=256.0.0.1:2", "Digit", "256.0.0.1:2"),
            ("1=[::1%lo]:2", "Digit", "[::1%lo]:2"),
            ("1=[1:2:3]:2", "Digit", "[1:2:3]:2"),
            ("1=a_b:2", "Digit", "a_b:2"),
            ("1=a-:2", "Digit", "a-:2"),
            ("1=2,", "Eof", ","),
            ("1=2,x", "Eof", ",x"),
            ("1=2 ", "Eof", " "),
            ("1=2[retries=1] ", "Eof", " "),
            ("1=2[]", "Verify", "]"),
            ("1=2[foo=1]", "Verify", "foo"),
            ("1=2[retries=65536]", "Verify", "65536"),
            ("1=2[retries=-1]", "Verify", "-1"),
            ("1=2[timeout=nan]", "Verify", "nan"),
            ("1=2[timeout=-1]", "Verify", "-1"),
            ("1=2[timeout=1e9]", "Verify", "1e9"),
            ("1=2[check-interval=inf]", "Verify", "inf"),
            ("1=2[remote-tls=True]", "Verify", "True"),
            ("1=2[strategy=best]", "Verify", "best"),
            ("1=2[retries=1", "Char", ""),
        ]:
            wrong = self.assertRaises(Unparsed, tunnel, text)
            assert isinstance(wrong, Unparsed)
            self.assertEqual((wrong.kind, wrong.rest), (kind, rest), text)

    @given(TUNNELS)
    def test_written(self, made: Tunnel) -> None:
        """What is written reads as the same."""
        self.assertEqual(tunnel(str(made)), made)

    @given(st.text("0123456789=[],.:abcdefxyz- ", max_size=40))
    def test_anything(self, text: str) -> None:
        """Whatever it is, it is a tunnel or it is refused."""
        try:
            found = tunnel(text)
        except Unparsed:
            return
        self.assertEqual(tunnel(str(found)), found)

    def test_fault(self) -> None:
        """A configuration says what is allowed."""
        wrong = self.assertRaises(ValueError, read, "3000=x")
        self.assertEqual(
            str(wrong),
            '"3000=x" is not LOCAL=REMOTE,REMOTE[OPTION=VALUE]:'
            ' PORT, HOST:PORT or [V6]:PORT is allowed at "x"',
        )


class SocketTests(SynchronousTestCase):
    def test_rest(self) -> None:
        self.assertEqual(socket("3000 "), (Host("127.0.0.1", 3000), " "))
        self.assertEqual(socket("[::1]:5,6"), (Host("::1", 5), ",6"))
        self.assertRaises(Unparsed, socket, "bad")

    def test_seconds(self) -> None:
        """plexy shows no zeros at the end."""
        self.assertEqual([shown(10.0), shown(5.5), shown(0.0)], ["10", "5.5", "0"])


class CommandLineTests(SynchronousTestCase):
    def loaded(self, text: str, *tunnels: str) -> list[str]:
        inputs = Inputs(
            read=lambda name: text.encode(),
            glob=lambda pattern: [],
            registry=registry(),
            file="portmux.yaml" if text else None,
            tunnels=tunnels,
        )
        return list(map(str, load(inputs).config.tunnels.open))

    def test_beside_a_file(self) -> None:
        """Those of the file stay, however they are written there."""
        for text in (
            "tunnels: 1=2",
            "tunnels: [1=2]",
            "tunnels: {open: [1=2], retries: 5}",
        ):
            both = ["127.0.0.1:1=127.0.0.1:2", "127.0.0.1:3=127.0.0.1:4"]
            self.assertEqual(self.loaded(text, "3=4"), both)

    def test_alone(self) -> None:
        """No file is needed."""
        self.assertEqual(self.loaded("", "[::1]:3=4"), ["[::1]:3=127.0.0.1:4"])

    def test_faults(self) -> None:
        """Each is told with the word that it stands in."""
        error = self.assertRaises(ConfigError, self.loaded, "", "3=", "1=2", "1=3")
        assert isinstance(error, ConfigError)
        self.assertEqual(len(error.faults), 1)
        self.assertTrue(error.faults[0].startswith("3=: tunnels.0: "), error.faults)
        error = self.assertRaises(ConfigError, self.loaded, "", "1=2", "1=3")
        assert isinstance(error, ConfigError)
        self.assertIn("there is a tunnel at 127.0.0.1:1 already", error.faults[0])

    def test_meant(self) -> None:
        """A route of --listen has a matcher's name in front."""
        for word in ("3000=1", "[::1]:1=2", "localhost:1=x:2", "10.0.0.1:1=2", "3000="):
            self.assertTrue(is_meant(word), word)
        for word in ("ssh=127.0.0.1:22", "tls=localhost:1", "http=[::1]:80"):
            self.assertFalse(is_meant(word), word)
