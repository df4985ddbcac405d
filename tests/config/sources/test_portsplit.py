"""Tests of portsplit's files as a source."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config.faults import Faults
from portmux.config.load import load
from portmux.config.model import Config, Listener
from portmux.config.sources.portsplit import parse
from portmux.core.address import Host
from portmux.core.match.prefix import Prefix
from portmux.errors import ConfigError
from tests.config.kinds import Close, Exec, Forward, faults_of, inputs, told

BIND = b"bind = 127.0.0.1:5000\n"

EVERY_KEY = rb"""# web, ssh-like timeout service, openvpn; everything else to a script
bind = 0.0.0.0:8443
bind = :::8443
bind = ::1:7000
bind = [::1]:7001
maxconn = 0
timeout = 3
pid = /run/portmux/split.pid

[web]
string = GET
string = HEAD
string = POST\20/
connect = localhost:8080

[tls]
string = \16\03\01
string = \16\03\03
connect = ::1:4443

[tunnel]
string = \00\0e
connect = 10.1.0.7:1194

[console]
string = HELLO
exec = /bin/login
pty = yes

[fallback]
exec = logger
execarg = -t
execarg = unknown client

[timeout]
connect = 127.0.0.1:22
"""


class PortsplitTestCase(SynchronousTestCase):
    def config(self, text: bytes) -> Config:
        """@return: what the file says; it gives no warnings."""
        loaded = load(inputs(text, "split.conf"))
        self.assertEqual(loaded.warnings, ())
        return loaded.config

    def listener(self, text: bytes) -> Listener:
        return self.config(BIND + text).listeners["split"]

    def patterns(self, value: bytes) -> tuple[bytes, ...]:
        (route,) = self.listener(b"[a]\nstring = %s\nconnect = a:1\n" % value).routes
        assert isinstance(route.match, Prefix)
        return route.match.patterns

    def faults(self, text: bytes) -> list[str]:
        lines = faults_of(inputs(text, "split.conf"))
        return [line.removeprefix("split.conf:") for line in lines]

    def warnings(self, text: bytes) -> list[str]:
        lines = load(inputs(text, "split.conf")).warnings
        return [line.removeprefix("split.conf:") for line in lines]


class GrammarTests(PortsplitTestCase):
    def test_every_key(self) -> None:
        """A file written for portsplit is taken as it is."""
        config = self.config(EVERY_KEY)
        self.assertEqual((config.drain, config.pid), (None, "/run/portmux/split.pid"))
        listener = config.listeners["split"]
        self.assertEqual(
            [bind.address for bind in listener.bind],
            [
                Host("0.0.0.0", 8443),
                Host("::", 8443),
                Host("::1", 7000),
                Host("::1", 7001),
            ],
        )
        self.assertEqual(listener.limits.connections, None)
        self.assertEqual(listener.sniff.timeout, 3.0)
        self.assertEqual(
            [(route.name, route.match, route.action) for route in listener.routes],
            [
                (
                    "web",
                    Prefix((b"GET", b"HEAD", b"POST /")),
                    Forward((Host("localhost", 8080),)),
                ),
                (
                    "tls",
                    Prefix((b"\x16\x03\x01", b"\x16\x03\x03")),
                    Forward((Host("::1", 4443),)),
                ),
                ("tunnel", Prefix((b"\0\x0e",)), Forward((Host("10.1.0.7", 1194),))),
                ("console", Prefix((b"HELLO",)), Exec(("/bin/login",), pty=True)),
            ],
        )
        self.assertEqual(listener.fallback, Exec(("logger", "-t", "unknown client")))
        self.assertEqual(listener.silent, Forward((Host("127.0.0.1", 22),)))
        self.assertEqual(listener.undecided, listener.silent)

    def test_last_line_without_end(self) -> None:
        """It is read like any other."""
        listener = self.config(b"bind = 127.0.0.1:1\nbind = 127.0.0.1:2")
        self.assertEqual(len(listener.listeners["split"].bind), 2)

    def test_line_ends(self) -> None:
        """LF, CR, or both; each is one line."""
        for end in (b"\n", b"\r", b"\r\n"):
            text = EVERY_KEY.replace(b"\n", end)
            self.assertEqual(self.config(text), self.config(EVERY_KEY))
            (fault,) = self.faults(BIND.replace(b"\n", end) + end + b"foo" + end)
            self.assertTrue(fault.startswith("3:1: "), fault)

    def test_blanks(self) -> None:
        """Around keys and values they are nothing, but behind a pattern."""
        listener = self.listener(
            b" \t \n  maxconn\t =\t 5 \n[a] \n\tconnect =a:1\t\nstring = A \n"
        )
        self.assertEqual(listener.limits.connections, 5)
        self.assertEqual(listener.routes[0].match, Prefix((b"A ",)))
        self.assertEqual(listener.routes[0].action, Forward((Host("a", 1),)))

    def test_comments(self) -> None:
        """Only a line's very first character makes one."""
        self.assertEqual(len(self.listener(b"#[a]\n# x = y\n").routes), 1)
        (fault,) = self.faults(BIND + b"  # comment\n")
        self.assertTrue(fault.startswith("2:1: "), fault)

    def test_long_lines(self) -> None:
        """A line may be of any length."""
        self.assertEqual(self.patterns(b"A" * 5000), (b"A" * 5000,))

    def test_values_may_hold_anything(self) -> None:
        """Equals signs, hashes, quotes and references are only characters."""
        (route,) = self.listener(
            b"[a]\nstring = a=b#\"'${X}\nexec = x\nexecarg = ${HOME}=*\n"
        ).routes
        self.assertEqual(route.match, Prefix((b"a=b#\"'${X}",)))
        self.assertEqual(route.action, Exec(("x", "${HOME}=*")))


class PatternTests(PortsplitTestCase):
    def test_escapes(self) -> None:
        """Exactly two hexadecimal digits, of any case."""
        for written, octets in [
            (rb"\00\0E\38", b"\0\x0e8"),
            (rb"\4G", rb"\4G"),
            (rb"Q\zzQ", rb"Q\zzQ"),
            (b"end\\", b"end\\"),
            (rb"\\41", b"\\A"),
            (rb"\5C41", rb"\41"),
            (rb"\+4", rb"\+4"),
            (rb"\20A", b" A"),
            (b"", b""),
        ]:
            self.assertEqual(self.patterns(written), (octets,), written)

    @given(st.binary().filter(lambda raw: not set(raw) & set(b"\r\n\\")))
    def test_octets_are_taken_as_they_are(self, raw: bytes) -> None:
        """Also those that are no text at all; blanks in front are not part of it."""
        self.assertEqual(self.patterns(raw), (raw.lstrip(b" \t"),))

    def test_without_sections(self) -> None:
        """The first byte leads to closing."""
        (route,) = self.listener(b"").routes
        self.assertEqual((route.match, route.action), (Prefix((b"",)), Close()))


class AddressTests(PortsplitTestCase):
    def test_last_colon(self) -> None:
        for written, address in [
            (b"127.0.0.1:1", Host("127.0.0.1", 1)),
            (b":::9090", Host("::", 9090)),
            (b"::1:7898", Host("::1", 7898)),
            (b"[::1]:65535", Host("::1", 65535)),
        ]:
            config = self.config(b"bind = " + written)
            (bind,) = config.listeners["split"].bind
            self.assertEqual(bind.address, address)

    def test_refused(self) -> None:
        """Numbers are checked, names are not bound."""
        for line, said in [
            (b"bind = 127.0.0.1", "has no port"),
            (b"bind = 127.0.0.1:0", "1 to 65535"),
            (b"bind = 127.0.0.1:65536", "65535"),
            (b"bind = 127.0.0.1:99999999999", "65535"),
            (b"bind = 127.0.0.1:x", "not a port"),
            (b"bind = localhost:1", "is a name"),
            (b"bind = 300.0.0.1:1", "is not a host"),
            (b"bind = ::g:1", "not an IPv6 address"),
            (b"bind = unix:1", "is a name"),
            (b"bind = systemd:1", "is a name"),
            (b"bind =", "has no port"),
            (BIND + b"[a]\nstring = A\nconnect = a", "has no port"),
            (BIND + b"[a]\nstring = A\nconnect = a:0", "1 to 65535"),
            (BIND + b"[a]\nstring = A\nconnect = unix:1", "is a unix socket"),
            (BIND + b"[a]\nstring = A\nconnect = a b:1", "is not a host"),
            (BIND + b"[a]\nstring = A\nconnect = \xff:1", "not UTF-8"),
        ]:
            (fault,) = self.faults(line)
            self.assertIn(said, fault)
            self.assertTrue(fault.startswith(f"{line.count(10) + 1}:"), fault)


class FaultTests(PortsplitTestCase):
    """Physical lines, and all faults at once."""

    def test_each(self) -> None:
        service = b"[a]\nstring = A\n"
        for text, place, said in [
            (b"timeout = 1\n", "1:1: ", "bind = IP:PORT is missing"),
            (BIND + b"foo\n", "2:1: ", '"foo" is not KEY = VALUE'),
            (BIND + b"[a\n", "2:1: ", "has no ] at its end"),
            (BIND + b"[]\n", "2:1: ", "the section has no name"),
            (BIND + b"\n# x\n[a]\nfoo = 1\n", "5:1: a.foo: ", "unknown key, allowed"),
            (BIND + b"[a]\n strin = 1\n", "3:2: a.strin: ", 'did you mean "string"?'),
            (BIND + b"[a]\n= 1\n", "3:1: a: ", "unknown key"),
            (BIND + b"[a]\nbind = 1\n", "3:1: a.bind: ", "unknown key"),
            (BIND + b"[fallback]\nstring = A\n", "3:10: fallback.string: ", "nothing"),
            (BIND + b"[timeout]\nstring = A\n", "3:10: timeout.string: ", "nothing"),
            (BIND + service + b"execarg = x\n", "4:11: a.execarg: ", "behind exec"),
            (BIND + service + b"exec =\n", "4:7: a.exec: ", "a program is missing"),
            (BIND + service + b"pty = maybe\n", "4:7: a.pty: ", "not yes or no"),
            (BIND + service + b"pty = Yes\n", "4:7: a.pty: ", "not yes or no"),
            (BIND + b"maxconn = x\n", "2:11: maxconn: ", "not a number of connections"),
            (BIND + b"maxconn = -1\n", "2:11: maxconn: ", "not a number"),
            (BIND + b"timeout = never\n", "2:11: timeout: ", "not a number of seconds"),
            (BIND + b"pid =\n", "2:6: pid: ", "a path is missing"),
            (BIND + b"pid = a\0b\n", "2:7: pid: ", "NUL"),
            (BIND + BIND, "2:8: listeners.split.bind.1: ", "is bound already"),
        ]:
            (fault,) = self.faults(text)
            self.assertTrue(fault.startswith(place), fault)
            self.assertIn(said, fault)

    def test_too_long_to_be_looked_at(self) -> None:
        text = BIND + b"[a]\nstring = " + b"A" * ((1 << 20) + 1) + b"\n"
        (fault,) = self.faults(text)
        self.assertTrue(fault.startswith("3:10: a.string: is 1048577 octets"), fault)

    def test_all_at_once(self) -> None:
        text = b"bind = x\nfoo\n[a]\nfoo = 1\npty = 2\n[fallback]\nstring = A\n"
        starts = [fault.split(" ")[0] for fault in self.faults(text)]
        self.assertEqual(starts, ["1:8:", "2:1:", "4:1:", "5:7:", "7:10:"])


class WarningTests(PortsplitTestCase):
    """What works, and is probably not meant."""

    def test_each(self) -> None:
        service = b"[a]\nstring = A\nconnect = a:1\n"
        for text, place, said in [
            (b"foo = 1\n" + BIND, "1:1: foo: ", "unknown key, known: bind, maxconn"),
            (b"timout = 1\n" + BIND, "1:1: timout: ", 'did you mean "timeout"?'),
            (BIND + b"bind x = 1.2.3.4:5\n", "2:1: bind: ", "is ignored"),
            (b"timeout = 3s\n" + BIND, "1:11: timeout: ", '"s" behind the number'),
            (
                b"maxconn = 1\nmaxconn = 2\n" + BIND,
                "2:1: maxconn: ",
                "line 1, the last",
            ),
            (
                BIND + service + b"connect = b:2\n",
                "5:1: a.connect: ",
                "line 4, the last",
            ),
            (BIND + service + b"exec = x\n", "2:1: a: ", "connect is used"),
            (BIND + service + service, "5:1: a: ", "is the route a-2 here"),
            (BIND + b"[a b]" + service[3:], "2:1: a b: ", "is the route a-b here"),
            (BIND + b"[a]\nconnect = a:1\n", "2:1: a: ", "it is never chosen"),
            (BIND + b"[a]\nstring = A\n", "2:1: a: ", "its clients are closed"),
            (BIND + b"[timeout]\nconnect = a:1\n", "2:1: timeout: ", "is never used"),
        ]:
            (warning,) = self.warnings(text)
            self.assertTrue(warning.startswith(place), warning)
            self.assertIn(said, warning)

    def test_second_special_section(self) -> None:
        text = BIND + b"[fallback]\nconnect = a:1\n[fallback]\nconnect = b:2\n"
        (warning,) = self.warnings(text)
        self.assertIn("4:1: fallback: is there already", warning)
        config = load(inputs(text, "split.conf")).config
        fallback = config.listeners["split"].fallback
        self.assertEqual(fallback, Forward((Host("a", 1),)))

    def test_the_last_counts(self) -> None:
        """Of targets and programs; a new program has no arguments yet."""
        text = BIND + (
            b"[a]\nstring = A\nconnect = a:1\nconnect = b:2\n"
            b"[b]\nstring = B\nexec = x\nexecarg = y\nexec = z\n"
        )
        routes = load(inputs(text, "split.conf")).config.listeners["split"].routes
        self.assertEqual(routes[0].action, Forward((Host("b", 2),)))
        self.assertEqual(routes[1].action, Exec(("z",)))
        self.assertEqual(len(self.warnings(text)), 2)


class NoiseTests(PortsplitTestCase):
    @given(
        st.binary()
        | st.lists(
            st.sampled_from(
                [
                    b"bind = ",
                    b"string = ",
                    b"connect = ",
                    b"exec = ",
                    b"execarg = ",
                    b"pty = ",
                    b"timeout = ",
                    b"[a]",
                    b"[fallback]",
                    b"\n",
                    b"\n",
                    b"\r",
                    b"1",
                    b"::1:2",
                    b"a:1",
                    b"\xff",
                    b"\0",
                    b"\\41",
                ]
            )
        ).map(b"".join)
    )
    def test_only_config_errors(self, data: bytes) -> None:
        """And each fault of this syntax has a line."""
        faults = Faults()
        parse("f", data, faults)
        for fault in told(faults):
            self.assertRegex(fault, r"^f:[1-9]\d*:[1-9]\d*: ")
        try:
            load(inputs(data, "split.conf"))
        except ConfigError as error:
            self.assertTrue(error.faults)
