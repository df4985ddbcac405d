"""Tests of what a file of portsplit is as portmux.conf."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.decode import Decoder
from portmux.config.faults import Faults
from portmux.config.model import Config, Listener
from portmux.config.sources.splittree import Section, Split
from portmux.config.tree import Origin, Scalar, Style
from portmux.core.address import Host
from portmux.core.match.prefix import Prefix
from tests.config.kinds import KINDS, Close, Exec, Forward, told

HERE = Origin("f")


def scalar(text: str) -> Scalar:
    return Scalar(text, HERE, Style.QUOTED)


def section(title: str, *patterns: bytes, connect: str | None = "a:1") -> Section:
    target = None if connect is None else scalar(connect)
    return Section(title, HERE, [(each, HERE) for each in patterns], target)


class SplitTests(SynchronousTestCase):
    def config(self, split: Split) -> Config:
        if not split.binds:
            split.binds.append(scalar("127.0.0.1:1"))
        faults = Faults()
        config = Decoder(KINDS, faults).decode(Config, split.tree())
        self.assertEqual(told(faults), [])
        assert isinstance(config, Config)
        return config

    def listener(self, *sections: Section) -> Listener:
        (found,) = self.config(Split("f", sections=list(sections))).listeners.values()
        return found

    def test_named_after_the_file(self) -> None:
        for name, listener in [
            ("/etc/split.conf", "split"),
            ("split", "split"),
            ("a b.c.conf", "a-b-c"),
            (".conf", "conf"),
            ("/", "portsplit"),
            ("\xe9.conf", "-"),
        ]:
            self.assertEqual(list(self.config(Split(name)).listeners), [listener])

    def test_defaults(self) -> None:
        """Ten connections, no time limit, eager; what is undecided is closed."""
        listener = self.listener(section("web", b"GET"))
        self.assertEqual(listener.limits.connections, 10)
        self.assertEqual(listener.sniff.timeout, None)
        self.assertEqual(listener.sniff.resolution, "eager")
        self.assertEqual(listener.fallback, Close())
        self.assertEqual(listener.silent, Close())
        self.assertEqual(listener.undecided, Close())
        self.assertIsNone(self.config(Split("f")).drain)
        self.assertIsNone(self.config(Split("f")).pid)

    def test_globals(self) -> None:
        split = Split(
            "f",
            [scalar("[::]:1"), scalar("0.0.0.0:1")],
            scalar("none"),
            scalar("3s"),
            scalar("/run/x"),
        )
        config = self.config(split)
        listener = config.listeners["f"]
        addresses = [bind.address for bind in listener.bind]
        self.assertEqual(addresses, [Host("::", 1), Host("0.0.0.0", 1)])
        self.assertEqual(listener.limits.connections, None)
        self.assertEqual((listener.sniff.timeout, config.pid), (3.0, "/run/x"))

    def test_routes(self) -> None:
        """In written order; the special sections are none."""
        listener = self.listener(
            section("b", b"\x00\\", b""),
            section("fallback", connect="b:2"),
            section("a", b"A", connect=None),
            section("timeout", connect="c:3"),
            section("empty"),
        )
        self.assertEqual([route.name for route in listener.routes], ["b", "a"])
        self.assertEqual(listener.routes[0].match, Prefix((b"\x00\\", b"")))
        self.assertEqual(listener.routes[0].action, Forward((Host("a", 1),)))
        self.assertEqual(listener.routes[1].action, Close())
        self.assertEqual(listener.fallback, Forward((Host("b", 2),)))
        self.assertEqual(listener.silent, Forward((Host("c", 3),)))
        self.assertEqual(listener.undecided, Forward((Host("c", 3),)))

    def test_programs(self) -> None:
        service = section("run", b"R", connect=None)
        service.command = [scalar("sh"), scalar("-c")]
        (route,) = self.listener(service).routes
        self.assertEqual(route.action, Exec(("sh", "-c")))
        service.pty = scalar("true")
        (route,) = self.listener(service).routes
        self.assertEqual(route.action, Exec(("sh", "-c"), pty=True))
        service.connect = scalar("a:1")
        (route,) = self.listener(service).routes
        self.assertEqual(route.action, Forward((Host("a", 1),)))

    def test_names(self) -> None:
        """One word each, and no two the same."""
        titles = ["web", "web", "web-2", "my web", "\xe9", "", "x" * 99, "x" * 99]
        split = Split("f", sections=[section(title, b"A") for title in titles])
        names = [route.name for route in self.config(split).listeners["f"].routes]
        long = "x" * 60
        self.assertEqual(
            names,
            ["web", "web-2", "web-2-2", "my-web", "-", "route", long, f"{long}-2"],
        )
        self.assertEqual(list(split.routes()), names)

    def test_the_first_special_section_counts(self) -> None:
        first, second = section("fallback", connect="b:2"), section("fallback")
        self.assertEqual(
            self.listener(first, second).fallback, Forward((Host("b", 2),))
        )

    def test_without_patterns(self) -> None:
        """The first byte leads to the fallback."""
        (route,) = self.listener(section("fallback", connect="b:2")).routes
        self.assertEqual(route.name, "fallback")
        self.assertEqual(route.match, Prefix((b"",)))
        self.assertEqual(route.action, Forward((Host("b", 2),)))
        (route,) = self.listener().routes
        self.assertEqual(route.action, Close())

    def test_long_patterns(self) -> None:
        """All of them must fit into what is looked at."""
        self.assertEqual(self.listener(section("a", b"A")).sniff.limit, 1 << 16)
        long = self.listener(section("a", b"A" * 70_000, b"B"))
        self.assertEqual(long.sniff.limit, 70_000)

    def test_broken(self) -> None:
        """Nothing more is told of it, and nothing comes of it."""
        faults = Faults()
        Decoder(KINDS, faults).decode(Config, Split("f").broken())
        self.assertEqual(told(faults), [])

    @given(st.lists(st.tuples(st.text(), st.lists(st.binary(), min_size=1))), st.text())
    def test_always_decodes(
        self, sections: list[tuple[str, list[bytes]]], name: str
    ) -> None:
        """Whatever sections are called, and whatever octets they wait for."""
        listed = [section(title, *patterns) for title, patterns in sections]
        split = Split(name, sections=listed)
        (listener,) = self.config(split).listeners.values()
        ordinary = [
            each for each in listed if each.title not in ("fallback", "timeout")
        ]
        if ordinary:
            matches = [route.match for route in listener.routes]
            wanted = [Prefix(tuple(p for p, _ in each.patterns)) for each in ordinary]
            self.assertEqual(matches, wanted)
