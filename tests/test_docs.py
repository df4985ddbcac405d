"""What the pages show works: configurations, commands, options, links."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from itertools import takewhile

from twisted.trial.unittest import SynchronousTestCase

from portmux import cli
from portmux.app.build import registry
from portmux.config import reference
from portmux.config.load import Inputs, Loaded, load
from portmux.config.sources.syntax import Syntax
from portmux.core.metrics import METRICS
from portmux.core.poolmetrics import POOLS
from portmux.errors import ConfigError
from portmux.tap import Options
from tests.documents import (
    ROOT,
    commands,
    examples,
    name,
    pages,
    queries,
    uncommented,
)

ACTIONS = ROOT / "docs" / "actions.md"
EXAMPLE = ROOT / "conf" / "portmux.conf"
README = ROOT / "README.md"


def loaded(where: str, text: str) -> Loaded:
    """@raise ConfigError: C{portmux check} would tell faults."""
    inputs = Inputs(
        read=lambda _: text.encode(),
        glob=lambda _: [],
        registry=registry(),
        file=where,
        syntax=Syntax.YAML,
    )
    return load(inputs)


class ConfigurationTests(SynchronousTestCase):
    """Every configuration that we show can be used."""

    def test_pages(self) -> None:
        """All blocks of all pages; faults name the block, and the line in it."""
        shown = [one for page in pages() for one in examples(page)]
        self.assertGreater(len(shown), 20)
        faults = []
        for one in shown:
            try:
                loaded(one.where, one.text)
            except ConfigError as error:
                faults += [*error.faults, one.text]
        self.assertEqual(faults, [], "\n".join(faults))

    def test_files(self) -> None:
        """The files that we ship, also with what stands in them as comments."""
        configs = sorted((ROOT / "conf").glob("*.conf"))
        self.assertIn(EXAMPLE, configs)
        for config in configs:
            for text in (config.read_text(), uncommented(config)):
                self.assertEqual(loaded(name(config), text).warnings, ())

    def test_comments_are_found(self) -> None:
        """The example shows routes that it does not have."""
        plain, more = (
            loaded("conf", text).config.listeners["front"].routes
            for text in (EXAMPLE.read_text(), uncommented(EXAMPLE))
        )
        self.assertGreater(len(more), len(plain))


class ActionPageTests(SynchronousTestCase):
    """docs/actions.md is complete."""

    def test_every_action(self) -> None:
        """Each has its section, with its options as they are declared."""
        sections = re.split(r"(?m)^## ", ACTIONS.read_text())
        for action, kind in registry().actions.items():
            found = [one for one in sections if one.startswith(f"`{action}`")]
            self.assertEqual(len(found), 1, action)
            options = list(reference.rows(kind))
            if options:
                table = reference.markdown(options)
                self.assertIn(table, found[0], f"it has to be\n{table}")


class CommandTests(SynchronousTestCase):
    """Every command that README shows is there, with the options that it shows."""

    def test_readme(self) -> None:
        """All lines of its indented blocks."""
        shown = list(commands(README))
        self.assertGreater(len(shown), 10)
        for command in shown:
            for part in command.line.split(" | "):
                self.check(shlex.split(part))

    def test_pages(self) -> None:
        """Those of our own in all other pages; these show output as well."""
        for page in pages():
            for command in commands(page):
                if command.line.startswith(("make ", "portmux ", "twistd ")):
                    self.check(shlex.split(command.line))

    def check(self, words: list[str]) -> None:
        """@raise AssertionError: there is no such thing."""
        program, *rest = words
        if program == "make":
            self.assertIn(rest[0], self.targets(), words)
        elif program == "portmux":
            self.check_portmux(rest)
        elif program == "twistd":
            Options().parseOptions(rest[rest.index("portmux") + 1 :])
        else:
            self.assertIn(program, self.others(), words)

    def check_portmux(self, words: list[str]) -> None:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            ended = self.assertRaises(SystemExit, cli.main, [words[0], "--help"])
        self.assertEqual(ended.code, 0)
        ours = words[1:]
        if words[0] == "convert":  # behind --from stand the words of another program
            ours = ours[: ours.index("--from") + 1]
        for word in takewhile(lambda one: one != "--", ours):
            if word.startswith("-"):
                self.assertIn(f"{word} ", out.getvalue())

    def targets(self) -> set[str]:
        return set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))

    def others(self) -> set[str]:
        """@return: what every system has, or C{make peers} asks for."""
        listed = (ROOT / ".ci" / "peers-packages").read_text()
        return {"echo"} | set(re.findall(r"(?m)^([a-z]+) ", listed))


class LinkTests(SynchronousTestCase):
    """Pages lead to pages that are there."""

    def test_links(self) -> None:
        """Each relative link is a file."""
        missing = [
            f"{name(page)}: {target}"
            for page in pages()
            for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
            if not (page.parent / target).exists()
        ]
        self.assertEqual(missing, [])


class DashboardTests(SynchronousTestCase):
    """conf/grafana asks for what there is; real queries run in tests/peers."""

    def test_names_and_labels(self) -> None:
        """Each metric is declared, and has each label that it is asked for by."""
        known = {metric.name: metric for metric in (*METRICS, *POOLS)}
        asked = queries()
        self.assertGreater(len(asked), 10)
        for query in asked:
            names = re.findall(r"portmux_[a-z_]+", query)
            self.assertTrue(names, query)
            labels = {"le"}
            for each in names:
                metric = known.get(each.removesuffix("_bucket"))
                assert metric is not None, f"{each} is not declared"
                self.assertEqual(metric.kind == "histogram", each.endswith("_bucket"))
                labels |= set(metric.labels)
            used = re.findall(r"([a-z]+)=~?\"", query)
            used += re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", query)))
            self.assertLessEqual(set(used), labels, query)

    def test_every_metric_is_shown(self) -> None:
        """A new one has its place in the dashboard."""
        text = " ".join(queries())
        self.assertEqual([one.name for one in METRICS if one.name not in text], [])
