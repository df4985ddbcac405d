"""Tests of files that include others."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.faults import Faults
from portmux.config.include import DEEPEST, Reader
from portmux.config.load import load
from portmux.config.sources.syntax import Syntax
from portmux.config.tree import Scalar
from tests.config.kinds import Disk, faults_of, inputs, told

MAIN = """
include: {}
listeners: {{a: {{bind: "*:1", close: }}}}
drain: 1s
"""


Files = dict[str, bytes]


class IncludeTests(SynchronousTestCase):
    def drain(
        self, include: str, others: dict[str, bytes], name: str = "p.yaml"
    ) -> object:
        given = inputs(
            MAIN.format(include), name, others=others, environ={"D": "conf.d"}
        )
        return load(given).config.drain

    def faults(self, include: str, others: Files) -> list[str]:
        return faults_of(inputs(MAIN.format(include), "p.yaml", others=others))

    def test_drop_ins_win(self) -> None:
        """In alphabetical order, over the file that names them."""
        others = {"conf.d/b.conf": b"drain: 3s", "conf.d/a.conf": b"drain: 2s"}
        self.assertEqual(self.drain("conf.d/*.conf", others), 3.0)

    def test_in_written_order(self) -> None:
        others = {"b": b"drain: 3s", "a": b"drain: 2s"}
        self.assertEqual(self.drain("[b, a]", others), 2.0)

    def test_beside_the_file(self) -> None:
        """Names are relative to the file that they stand in."""
        others = {
            "/etc/d/a.conf": b"include: more/b.conf",
            "/etc/d/more/b.conf": b"drain: 4s",
        }
        self.assertEqual(self.drain("[d/*.conf]", others, "/etc/p.yaml"), 4.0)
        self.assertEqual(self.drain("/etc/d/a.conf", others), 4.0)

    def test_any_syntax(self) -> None:
        others = {
            "a.toml": b"drain = 5",
            "b.json": b'{"pid": "/x"}',
            "split.conf": b"bind = 127.0.0.1:5\npid = /y\n[a]\nstring = A\n",
        }
        given = inputs(MAIN.format("[a.toml, b.json, split.conf]"), others=others)
        config = load(given).config
        self.assertEqual((config.drain, config.pid), (5.0, "/y"))
        self.assertEqual(list(config.listeners), ["a", "split"])

    def test_variables(self) -> None:
        self.assertEqual(self.drain('"${D}/x"', {"conf.d/x": b"drain: ${N:-6}"}), 6.0)

    def test_nothing_found(self) -> None:
        """A pattern may mean no file; a name may not."""
        self.assertEqual(self.drain("conf.d/*.conf", {}), 1.0)
        (fault,) = self.faults("[conf.d/a.conf]", {})
        self.assertEqual(
            fault,
            'p.yaml:2:11: "conf.d/a.conf" cannot be read: No such file or directory',
        )

    def test_faults_of_all_files(self) -> None:
        """Files that can be read at all are judged together."""
        others = {"a": b"drain: x\nfoo: 1", "b": b"pid: []"}
        faults = self.faults("[a, b]", others)
        self.assertEqual(
            [fault.split(" ")[0] for fault in faults], ["a:1:8:", "a:2:1:", "b:1:6:"]
        )
        others = {"a": b"drain: [", "b": b"pid: *x"}
        faults = self.faults("[a, b]", others)
        self.assertEqual([fault[0] for fault in faults], ["a", "b"])

    def test_cycle(self) -> None:
        """Told where the name stands that closes it."""
        (fault,) = self.faults(
            "a", {"a": b"x: 1\ninclude: ./b", "b": b"include: p.yaml"}
        )
        self.assertEqual(fault, './b:1:10: "./p.yaml" includes itself')

    def test_twice_is_no_cycle(self) -> None:
        self.assertEqual(self.drain("[a, a]", {"a": b"drain: 2s"}), 2.0)

    def test_depth(self) -> None:
        others = {f"{n}": f"include: '{n + 1}'".encode() for n in range(DEEPEST + 2)}
        (fault,) = self.faults("'0'", others)
        self.assertIn("is included too deeply", fault)

    def test_wrong_kind(self) -> None:
        for include, place in [("{a: b}", "2:10"), ("[a, [b]]", "2:14"), ("", "2:9")]:
            (fault, *_) = self.faults(include, {"a": b""})
            self.assertIn(f"p.yaml:{place}: include: is not a file's name", fault)

    def test_strange_names(self) -> None:
        """Whatever the reader of files says is a fault at the name."""
        (fault,) = self.faults('"a\\0b"', {})
        self.assertIn("cannot be read", fault)


class ReaderTests(SynchronousTestCase):
    def test_syntax_given(self) -> None:
        """The caller may know better than the name; not of what is included."""
        disk = Disk({"x.yaml": b"bind = 127.0.0.1:1\n"})
        faults = Faults()
        reader = Reader(disk.read, disk.glob, {}, faults)
        tree = reader.file("x.yaml", Syntax.PORTSPLIT)
        assert tree is not None
        self.assertIn("drain", tree.entries)
        self.assertEqual(told(faults), [])

    def test_portsplit_is_taken_literally(self) -> None:
        """It knows neither variables nor includes."""
        text = b"bind = 127.0.0.1:1\npid = ${X}\n"
        disk = Disk({"x": text})
        tree = Reader(disk.read, disk.glob, {}, Faults()).file("x")
        assert tree is not None
        pid = tree.get("pid")
        assert isinstance(pid, Scalar)
        self.assertEqual(pid.text, "${X}")
