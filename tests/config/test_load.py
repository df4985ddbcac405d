"""Tests of all layers together: a configuration, or every fault."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.app.build import registry
from portmux.config.faults import Faults
from portmux.config.load import Inputs, load, merged
from portmux.config.model import Config
from portmux.config.reference import rows
from portmux.core.address import Host
from portmux.core.match.prefix import Prefix
from portmux.errors import ConfigError
from tests.config.kinds import KINDS, NOTHING, Disk, faults_of, inputs, loaded

YAML = r"""
listeners:
  front:
    bind: ["*:443"]
    sniff: {timeout: 3s, limit: 64KiB}
    limits: {connections: 1000, per-source: 50}
    routes:
      - {name: ssh, match: ssh, forward: "127.0.0.1:22"}
      - {name: vpn, match: {prefix: ['\00\0e\38', {hex: 000e39}]}, close: }
drain: 10
"""

TOML = r"""
drain = 10
[listeners.front]
bind = ["*:443"]
sniff = {timeout = "3s", limit = "64KiB"}
limits.connections = 1000
limits.per-source = 50
[[listeners.front.routes]]
name = "ssh"
match = "ssh"
forward = "127.0.0.1:22"
[[listeners.front.routes]]
name = "vpn"
match.prefix = ['\00\0e\38', {hex = "000e39"}]
close = {}
"""

JSON = r"""
{
	"listeners": {"front": {
		"bind": "*:443",
		"sniff": {"timeout": 3, "limit": 65536},
		"limits": {"connections": 1000, "per-source": 50},
		"routes": [
			{"name": "ssh", "match": "ssh", "forward": ["127.0.0.1:22"]},
			{"name": "vpn",
				"match": {"prefix": ["\\00\\0e8", {"hex": "000e39"}]}, "close": null}
		]
	}},
	"drain": "10s"
}
"""

SPLIT = rb"""
bind = 127.0.0.1:8443
maxconn = 100
timeout = 3
[web]
string = GET
string = \16\03
connect = localhost:8080
[console]
string = RUN
exec = sh
execarg = -c
pty = yes
[fallback]
connect = ::1:22
[timeout]
exec = cat
"""

GOOD = {"p.yaml": YAML, "p.toml": TOML, "p.json": JSON, "split": SPLIT.decode()}

TEN_YAML = r"""listeners:
  front:
    bind: ["*:443", "*:99999"]
    sniff: {timout: 3s, limit: 64kib}
    limits: {connections: [1]}
    keepalive: on
    routes:
      - {name: a, match: shh, forward: "127.0.0.1:22"}
      - {name: a, match: {prefix: "\x80"}, close: }
      - {name: b, match: always}
drain: ${NOWHERE}
log: {level: warning}
"""

TEN_TOML = r"""drain = "${NOWHERE}"
log.level = "warning"
[listeners.front]
bind = ["*:443", "*:99999"]
sniff = {timout = 3, limit = "64kib"}
limits.connections = [1]
keepalive = "on"
[[listeners.front.routes]]
name = "a"
match = "shh"
forward = "127.0.0.1:22"
[[listeners.front.routes]]
name = "a"
match.prefix = "\u0080"
close = {}
[[listeners.front.routes]]
name = "b"
match = "always"
"""

TEN_JSON = r"""{"drain": "${NOWHERE}", "log": {"level": "warning"},
"listeners": {"front": {
"bind": ["*:443", "*:99999"],
"sniff": {"timout": 3, "limit": "64kib"},
"limits": {"connections": [1]},
"keepalive": "on",
"routes": [
{"name": "a", "match": "shh", "forward": "127.0.0.1:22"},
{"name": "a", "match": {"prefix": "\u0080"}, "close": null},
{"name": "b", "match": "always"}
]}}}
"""

TEN_SPLIT = rb"""bind = 127.0.0.1
maxconn = many
foo

[a]
strings = A
execarg = 1
pty = maybe
connect = localhost:99999
[fallback]
string = A
exec =
[]
string = A
[b
string = B
connect = \ff:1
"""

KINDS_OF_FAULTS = (
    "is not a port, 0 to 65535 is allowed",
    'unknown key, allowed: limit, resolution, silent, timeout; did you mean "timeout"?',
    'is not a size such as 16KiB or 10MB; did you mean "KiB"?',
    "is a list, a whole number, or none is allowed",
    'is not true or false; did you mean "true"?',
    "is not a matcher, allowed: ",
    "is there already, one of a name is allowed",
    "in double quotes may mean one octet or its UTF-8",
    "an action is missing, one of ",
    "${NOWHERE} is not set",
    'one of debug, error, info, warn is; did you mean "warn"?',
)


class FormTests(SynchronousTestCase):
    """The same keys in every syntax."""

    def test_same_configuration(self) -> None:
        expected = loaded(YAML).config
        self.assertEqual(loaded(TOML, "p.toml").config, expected)
        self.assertEqual(loaded(JSON, "p.json").config, expected)

    def test_json_without_a_suffix(self) -> None:
        self.assertEqual(loaded(JSON, "portmux.conf").config, loaded(YAML).config)

    def test_with_the_real_kinds(self) -> None:
        """What the built-in actions declare can be decoded."""
        disk = Disk({"p": YAML.encode(), "split": SPLIT})
        for name in disk.files:
            given = Inputs(
                read=disk.read, glob=disk.glob, registry=registry(), file=name
            )
            config = load(given).config
            self.assertEqual(len(config.listeners), 1)


class AllFaultsTests(SynchronousTestCase):
    """One file with ten faults of ten kinds gives ten lines, and one more."""

    def check(self, text: str, name: str) -> list[str]:
        """@return: the lines; each has a place in the file and a path."""
        lines = faults_of(inputs(text, name))
        for line in lines:
            self.assertRegex(line, rf"^{re.escape(name)}:\d+:\d+: [a-z0-9.-]+: .")
        for kind in KINDS_OF_FAULTS:
            found = [line for line in lines if kind in line]
            self.assertEqual(len(found), 1, (kind, lines))
        self.assertEqual(len(lines), len(KINDS_OF_FAULTS), lines)
        return lines

    def test_yaml(self) -> None:
        lines = self.check(TEN_YAML, "p.yaml")
        self.assertIn(
            'p.yaml:3:21: listeners.front.bind.1: "99999" is not a port, '
            "0 to 65535 is allowed",
            lines,
        )
        self.assertIn(
            "p.yaml:4:13: listeners.front.sniff.timout: unknown key, allowed: limit, "
            'resolution, silent, timeout; did you mean "timeout"?',
            lines,
        )

    def test_toml(self) -> None:
        lines = self.check(TEN_TOML, "p.toml")
        self.assertIn(
            'p.toml:4:18: listeners.front.bind.1: "99999" is not a port, '
            "0 to 65535 is allowed",
            lines,
        )

    def test_json(self) -> None:
        lines = self.check(TEN_JSON, "p.json")
        self.assertIn(
            'p.json:3:19: listeners.front.bind.1: "99999" is not a port, '
            "0 to 65535 is allowed",
            lines,
        )

    def test_portsplit(self) -> None:
        lines = faults_of(inputs(TEN_SPLIT, "split.conf"))
        self.assertEqual(
            [line.split(" ")[0] for line in lines],
            [
                "split.conf:1:8:",
                "split.conf:2:11:",
                "split.conf:3:1:",
                "split.conf:6:1:",
                "split.conf:7:11:",
                "split.conf:8:7:",
                "split.conf:9:11:",
                "split.conf:11:10:",
                "split.conf:12:7:",
                "split.conf:13:1:",
                "split.conf:15:1:",
                "split.conf:17:11:",
            ],
        )


class LayerTests(SynchronousTestCase):
    """Defaults, file, environment, command line: each over the one before."""

    def test_order(self) -> None:
        def drain(environ: dict[str, str], *sets: str) -> float | None:
            text = 'listeners: {a: {bind: "*:1", close: }}\ndrain: 1s'
            return load(inputs(text, environ=environ, settings=sets)).config.drain

        self.assertEqual(
            loaded('listeners: {a: {bind: "*:1", close: }}').config.drain, 10
        )
        self.assertEqual(drain({}), 1.0)
        self.assertEqual(drain({"PORTMUX__DRAIN": "2s"}), 2.0)
        self.assertEqual(drain({"PORTMUX__DRAIN": "2s"}, "drain=3s"), 3.0)
        self.assertEqual(drain({}, "drain=3s", "drain=4s"), 4.0)

    def test_deep(self) -> None:
        """Single options, keys without case, positions in lists."""
        environ = {
            "PORTMUX__LISTENERS__FRONT__LIMITS__PER_SOURCE": "7",
            "PORTMUX__LISTENERS__FRONT__BIND__1": "'[::1]:443'",
            "PORTMUX__LISTENERS__FRONT__ROUTES__1__MATCH__PREFIX": "A",
            "PORT": "80",
        }
        sets = ['listeners.front.bind.0="*:${PORT}"', "log={level: warn}"]
        config = load(inputs(YAML, environ=environ, settings=sets)).config
        front = config.listeners["front"]
        self.assertEqual(
            [bind.address for bind in front.bind], [Host("*", 80), Host("::1", 443)]
        )
        self.assertEqual((front.limits.connections, front.limits.per_source), (1000, 7))
        self.assertEqual(front.routes[1].match, Prefix((b"A",)))
        self.assertEqual(config.log.level, "warn")

    def test_no_file(self) -> None:
        """None is needed."""
        sets = ['listeners.a.bind="*:1"', "listeners.a.close={}"]
        config = load(inputs(None, settings=sets)).config
        self.assertEqual(list(config.listeners), ["a"])
        self.assertEqual(faults_of(inputs(None)), [f"configuration: {NOTHING}"])

    def test_faults_name_the_layer(self) -> None:
        environ = {"PORTMUX__DRAIN": "x", "PORTMUX__LOG__LEVEL": "[", "PORTMUX__": "1"}
        lines = faults_of(inputs(YAML, environ=environ, settings=["pid=[]", "x"]))
        self.assertEqual(
            [line.split(": ")[0] for line in lines],
            [
                "--set",
                "--set pid",
                "environment PORTMUX__",
                "environment PORTMUX__DRAIN",
                "environment PORTMUX__LOG__LEVEL",
            ],
        )

    def test_variables_for_programs_are_no_settings(self) -> None:
        self.assertEqual(
            faults_of(inputs(YAML, environ={"PORTMUX_REMOTE_ADDR": "x"})), []
        )

    def test_unreadable_file(self) -> None:
        disk = Disk({})
        kinds = registry()
        given = Inputs(read=disk.read, glob=disk.glob, registry=kinds, file="gone")
        (fault,) = faults_of(given)
        self.assertEqual(fault, "gone: cannot be read: No such file or directory")

    def test_warnings(self) -> None:
        """A file of portsplit may have some; they stop nothing."""
        warnings = loaded(b"foo = 1\n" + SPLIT, "split").warnings
        self.assertEqual(len(warnings), 1)
        self.assertTrue(warnings[0].startswith("split:1:1: foo: unknown key"))

    def test_the_tree_before_it_is_decoded(self) -> None:
        tree = merged(inputs("a: b", settings=["c=d"]), Faults())
        self.assertEqual(list(tree.entries), ["a", "c"])


KNOWN = {
    *(step for row in rows(Config) for step in row.path),
    *KINDS.matchers,
    *KINDS.actions,
}
VALUES = ["none", "true", "1", "*:443", "127.0.0.1:1", "3s", "64KiB", r"\00", "hex"]
WORDS = st.sampled_from([*sorted(KNOWN), *VALUES])
TREES = st.recursive(
    WORDS | st.none() | st.integers(-2, 70000),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4)
    ),
    max_leaves=20,
)
LISTENERS = st.fixed_dictionaries(
    {"bind": st.just("*:1") | TREES},
    optional={
        "routes": st.lists(
            st.fixed_dictionaries(
                {"name": WORDS, "match": TREES, "close": st.just({})},
                optional={"limits": TREES, "forward": TREES},
            ),
            max_size=3,
        ),
        **dict.fromkeys(("fallback", "silent", "sniff", "limits", "close"), TREES),
    },
)


class NoiseTests(SynchronousTestCase):
    """Nothing but a ConfigError leaves, and each fault has its place."""

    def judge(self, data: bytes, name: str) -> None:
        try:
            load(inputs(data, name))
        except ConfigError as error:
            for line in error.faults:
                self.assertRegex(line, rf"^{re.escape(name)}(:[1-9]\d*:\d+)?: ")
                self.assertEqual(len(line.splitlines()), 1)

    @given(st.sampled_from(sorted(GOOD)), st.binary())
    def test_bytes(self, name: str, data: bytes) -> None:
        self.judge(data, name)

    @given(st.sampled_from(sorted(GOOD)), st.text())
    def test_text(self, name: str, text: str) -> None:
        self.judge(text.encode("utf-8", "surrogatepass"), name)

    @given(
        st.sampled_from(sorted(GOOD)),
        st.lists(st.sampled_from(list("[]{}\":,'\n #=-&*!|>%@`\\a1.$")), max_size=40),
    )
    def test_marks(self, name: str, marks: list[str]) -> None:
        self.judge("".join(marks).encode(), name)

    @given(st.sampled_from(sorted(GOOD)), st.data())
    def test_mutations(self, name: str, data: st.DataObject) -> None:
        """A good file with one slip is good, or a fault with a line number."""
        text = GOOD[name]
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 3)))
        slip = data.draw(st.text("[]{}\":,'\n\t #=-&*!\\a1\0é", max_size=2))
        mutant = (text[:start] + slip + text[end:]).encode()
        try:
            load(inputs(mutant, name))
        except ConfigError as error:
            for line in error.faults:
                self.assertRegex(line, rf"^{re.escape(name)}:[1-9]\d*:\d+: ")

    @given(st.dictionaries(WORDS, LISTENERS, max_size=2) | TREES, TREES)
    def test_structures(self, listeners: object, log: object) -> None:
        """Known words in unknown places, in both syntaxes the same."""
        text = json.dumps({"listeners": listeners, "log": log})
        self.judge(text.encode(), "p.yaml")
        self.judge(text.encode(), "p.json")

    def test_every_position(self) -> None:
        """Each character in turn left out, or replaced."""
        for name, text in GOOD.items():
            for index in range(len(text)):
                for slip in ("", "\0", "]", "x"):
                    mutant = (text[:index] + slip + text[index + 1 :]).encode()
                    try:
                        load(inputs(mutant, name))
                    except ConfigError as error:
                        for line in error.faults:
                            self.assertRegex(
                                line, rf"^{re.escape(name)}:[1-9]\d*:\d+: "
                            )
