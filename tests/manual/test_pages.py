"""Tests of the reference pages."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from manual.pages import pages, sections
from portmux.app.build import registry
from portmux.config.decode import Decoder
from portmux.config.faults import Faults
from portmux.config.model import Config
from portmux.config.reference import rows, written
from portmux.config.shape import Field, shape_of
from portmux.core.metrics import METRICS
from portmux.core.poolmetrics import POOLS

KINDS = registry()
PAGES = pages(KINDS)


class PageTests(SynchronousTestCase):
    def test_options(self) -> None:
        """Each stands below where it is written, with all that is known of it."""
        text = PAGES["reference/options.md"]
        below = text.partition("## `listeners.NAME.sniff`")[2].partition("\n## ")[0]
        self.assertIn("| `timeout` | a duration", below)
        self.assertIn("| `3s` |", below)
        self.assertIn("| `timeout: 5s` |", below)
        self.assertNotIn("`connections`", below)

    def test_no_option_is_left_out(self) -> None:
        told = [row for _, _, listed in sections() for row in listed]
        self.assertEqual(sorted(told, key=str), sorted(rows(Config), key=str))

    def test_kinds(self) -> None:
        """Every matcher, action and protocol has its place, and what it is."""
        for name in KINDS.matchers:
            self.assertIn(f"\n## `{name}`\n\n", PAGES["reference/matchers.md"])
        for name in KINDS.actions:
            self.assertIn(f"\n## `{name}`\n\n", PAGES["reference/actions.md"])
        for name in KINDS.framers:
            self.assertIn(f"\n## `{name}`\n\n", PAGES["reference/protocols.md"])

    def test_commands(self) -> None:
        text = PAGES["reference/commands.md"]
        self.assertIn("```text\nportmux check [-c FILE]", text)
        self.assertIn("* `--set PATH=VALUE`: set one option", text)
        self.assertIn("## `twistd portmux`", text)

    def test_metrics(self) -> None:
        text = PAGES["reference/metrics.md"]
        for metric in (*METRICS, *POOLS):
            self.assertIn(f"| `{metric.name}` | {metric.kind} |", text)
        self.assertIn("| `portmux_sniff_seconds` | 0.001, 0.01,", text)

    def test_defaults(self) -> None:
        text = PAGES["defaults.md"]
        self.assertIn("| `listeners.NAME.sniff.limit` | `64KiB` |", text)
        self.assertIn("| `forward.connect.timeout` | `10s` |", text)
        self.assertIn("| `1MiB` | most that `sniff.limit` may be |", text)
        self.assertNotIn("required", text)


class ExampleTests(SynchronousTestCase):
    """The example of each option can be written so."""

    def test_every_example(self) -> None:
        kinds = [
            Config,
            *KINDS.matchers.values(),
            *KINDS.actions.values(),
            *KINDS.framers.values(),
        ]
        seen = 0
        for path, field in (each for kind in kinds for each in fields(kind)):
            if not field.option.example:
                continue
            seen += 1
            faults = Faults()
            node = written(field.option.example)
            value = Decoder(KINDS, faults, ("git",)).decode(field.kind, node)
            self.assertFalse(faults, path)
            if field.option.check is not None:
                field.option.check(value)
        self.assertGreater(seen, 40)


def fields(kind: Any) -> list[tuple[str, Field]]:
    """@return: the options of a class, with those of the classes inside."""
    found = []
    for field in shape_of(kind).all:
        found.append((f"{kind.__name__}.{field.name}", field))
        for inner in inside(field.kind):
            found += fields(inner)
    return found


def inside(kind: Any) -> list[type]:
    """@return: the classes with options that an annotation names."""
    arguments = getattr(kind, "__args__", ())
    own = [kind] if isinstance(kind, type) and hasattr(kind, "__attrs_attrs__") else []
    return [*own, *(each for one in arguments for each in inside(one))]
