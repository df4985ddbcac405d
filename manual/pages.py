"""The reference pages, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from manual import examples
from manual.commands import subcommands, twistd_options
from manual.fixed import fixed
from manual.words import CAUSES, ENDS, FIELDS
from portmux.config.model import Config
from portmux.config.reference import Row, rows, told, written
from portmux.config.shape import shape_of
from portmux.config.tree import Entry, Items, Origin, Scalar, Table
from portmux.config.write import write
from portmux.control.commands import ALL
from portmux.control.spell import Command
from portmux.core.counts import CONNECTING, SNIFFING
from portmux.core.metrics import METRICS
from portmux.core.muxmetrics import MUXES
from portmux.core.poolmetrics import POOLS
from portmux.core.registry import Registry
from portmux.core.tunnelmetrics import TUNNELS
from portmux.core.waiting import WAITING

_HERE = Origin("reference")

_VALUES = """\
How values are written is told in [](../configuration.md). `none` is written so.
`NAME` is a name of your own, `N` a position in a list, `ACTION` an action's name.
"""


def pages(registry: Registry) -> Mapping[str, str]:
    """@return: by name below docs, the text of each page."""
    matchers, actions = registry.matchers, registry.actions
    texts = {
        "reference/options.md": _options(),
        "reference/matchers.md": _kinds(
            "Matchers", _MATCHERS, examples.MATCHERS, matchers
        ),
        "reference/actions.md": _kinds("Actions", _ACTIONS, examples.ACTIONS, actions),
        "reference/protocols.md": _kinds(
            "Protocols", _PROTOCOLS, examples.PROTOCOLS, registry.framers
        ),
        "reference/commands.md": _commands(),
        "reference/control.md": _control(),
        "reference/record.md": _record(),
        "reference/metrics.md": _metrics(),
        "defaults.md": _defaults(registry),
    }
    return {name: "\n".join(lines).rstrip() + "\n" for name, lines in texts.items()}


_MATCHERS = """\
What a matcher says, how matchers are joined, and how they read what they read, is told
in [](../matchers.md). An option that is not given asks for nothing.
"""

_ACTIONS = """\
An action is one key: its name, and behind it its options. One without options stands
alone (`fallback: close`) or has an empty value beside other keys (`echo:`). Where a
value may stand in place of the options, it is that of the first option.
"""


_PROTOCOLS = """\
How requests and answers are told apart on a connection that many clients share. A
protocol is a name (`protocol: modbus`) or a name and its options. A frame that is
wrong, or longer than is allowed, costs the connection that it came on.
"""


def _options() -> Iterator[str]:
    yield from ("# Options", "", "The keys of portmux.conf.", "", _VALUES)
    for path, said, listed in sections():
        if path:
            yield from (f"## `{path}`", "", sentence(said), "")
        yield from _table(attrs.evolve(row, path=row.path[-1:]) for row in listed)
    yield from ("## `include`", "")
    yield "Files that are laid over this one: a name or a list of names; see"
    yield "[](../configuration.md)."


def sections() -> Iterator[tuple[str, str, list[Row]]]:
    """@return: each path that options stand at, what it is, and the options there."""
    listed = list(rows(Config))
    helps = {row.path: row.help for row in listed}
    parents = dict.fromkeys(row.path[:-1] for row in listed)
    for parent in parents:
        named = parent
        while named and named not in helps:
            named = named[:-1]
        inside = [row for row in listed if row.path[:-1] == parent]
        yield ".".join(parent), helps.get(named, ""), inside


def _kinds(
    title: str, text: str, shown: Mapping[str, str], kinds: Mapping[str, Any]
) -> Iterator[str]:
    yield from (f"# {title}", "", text)
    for name, kind in kinds.items():
        yield from (f"## `{name}`", "", told(kind), "")
        listed = list(rows(kind))
        shape = shape_of(kind)
        if shape.value is not None:
            yield f"`{shape.value.key}` may be left out: its value may stand alone."
            yield ""
        lines = [shown[name]] if name in shown else _example(title, name, kind)
        if lines:
            yield from ("```yaml", *lines, "```", "")
        if listed:
            yield from _table(listed)


def _example(title: str, name: str, kind: Any) -> list[str]:
    """@return: how a kind is written with what its declarations give."""
    fields = shape_of(kind).all
    field = next((one for one in fields if one.option.example), None)
    if fields and field is None:
        return []
    value = Scalar("", _HERE) if field is None else written(field.option.example)
    if field is not None and not field.option.value:
        value = Table(_HERE, {field.key: Entry(_HERE, value)})
    whole = Table(_HERE, {name: Entry(_HERE, value)})
    if title == "Matchers":
        chosen = Scalar(name, _HERE) if field is None else whole
        whole = Table(_HERE, {"match": Entry(_HERE, chosen)})
    elif title == "Protocols":
        target = Entry(_HERE, Scalar("10.0.0.9:4000", _HERE))
        inside = {"protocol": Entry(_HERE, whole), "to": target}
        whole = Table(_HERE, {"mux": Entry(_HERE, Table(_HERE, inside))})
    return write(whole).splitlines()


def _typed(lines: Iterable[str]) -> Iterator[str]:
    return (f"$ {line}" for line in lines)


def _commands() -> Iterator[str]:
    yield from ("# Commands", "")
    yield "Each ends with status 0; 1 when it could not do it; 2 for faults of the"
    yield "command line or of a configuration, which are told on standard error."
    yield ""
    for command in subcommands():
        yield from (f"## `portmux {command.name}`", "", sentence(command.help), "")
        yield from ("```text", command.usage, "```", "")
        if command.name in examples.COMMANDS:
            yield from ("```console", *_typed(examples.COMMANDS[command.name]))
            yield from ("```", "")
        yield from _list((a.spelling, a.help) for a in command.arguments)
    yield from ("## `portmux --version`", "", "Print the version.", "")
    yield from ("## `twistd portmux`", "")
    yield "The daemon; twistd's own options stand before the word `portmux`."
    yield ""
    yield from _list((a.spelling, a.help) for a in twistd_options())


def _control() -> Iterator[str]:
    yield from ("# Control", "")
    yield "Every command of [](../control.md): by `portmux ctl`, as a line of text, and"
    yield "as a method of JSON-RPC, whose parameters have the names that stand here."
    for title, wanted in (
        ("plexy's commands", lambda each: each.word and each.plexy),
        ("plexy's methods", lambda each: not each.word),
        ("Commands of portmux", lambda each: each.word and not each.plexy),
    ):
        yield from ("", f"## {title}")
        for each in ALL:
            if wanted(each):
                yield from _command(each)


def _command(each: Command) -> Iterator[str]:
    names = [f"`{each.usage}`" if each.word else "", f"`{each.method}`"]
    shown = names if each.method else names[:1]
    yield from ("", f"### {' · '.join(filter(None, shown))}", "")
    yield each.help + (" It changes something." if each.changes else "")
    if each.parameters:
        yield ""
        yield from _list(
            (one.name, f"{one.help}{'' if one.needed else '; may be left out'}")
            for one in each.parameters
        )


def _record() -> Iterator[str]:
    yield from ("# The record", "")
    yield "One line for each session, at its end: where it went and why. Text has"
    yield "fields of the form `key=value`, JSON (`log: {format: json}`) has keys."
    for title, words in (
        ("Fields", FIELDS),
        ("Causes", CAUSES),
        ("Ends", ENDS),
    ):
        yield from ("", f"## {title}", "")
        yield from _grid(
            ("word", "meaning"), ((f"`{word}`", said) for word, said in words.items())
        )


def _metrics() -> Iterator[str]:
    yield from ("# Metrics", "")
    yield "What Prometheus reads where `metrics.prometheus` says; how to use it is told"
    yield "in [](../metrics.md). The words in `cause` and `reason` are those of the"
    yield "[record](record.md)."
    yield ""
    yield from _grid(
        ("metric", "kind", "labels", "meaning"),
        (
            (
                f"`{metric.name}`",
                metric.kind,
                ", ".join(f"`{label}`" for label in metric.labels),
                metric.help,
            )
            for metric in (*METRICS, *POOLS, *MUXES, *TUNNELS)
        ),
    )
    yield ""
    yield "Buckets are a choice of ours, the same everywhere:"
    yield ""
    yield from _grid(
        ("histogram", "upper ends, in seconds"),
        (
            (f"`{name}`", ", ".join(f"{end:g}" for end in bounds))
            for name, bounds in (
                ("portmux_sniff_seconds", SNIFFING),
                ("portmux_connect_seconds", CONNECTING),
                ("portmux_queue_seconds", WAITING),
            )
        ),
    )


def _defaults(registry: Registry) -> Iterator[str]:
    yield from ("# Defaults", "")
    yield "What holds where nothing is said; `portmux config -c FILE` shows it for a"
    yield "file of yours."
    yield from ("", "## Options", "")
    yield from _grid(("option", "default"), _given(rows(Config)))
    for title, kinds in (
        ("Matchers", registry.matchers),
        ("Actions", registry.actions),
        ("Protocols", registry.framers),
    ):
        listed = [row for name in kinds for row in rows(kinds[name], (name,))]
        yield from ("", f"## {title}", "")
        yield from _grid(("option", "default"), _given(listed))
    yield from ("", "## What is no option", "")
    yield "These limits and times are the same everywhere."
    yield ""
    yield from _grid(
        ("value", "of what"), ((f"`{each.value}`", each.meaning) for each in fixed())
    )


def _given(listed: Iterable[Row]) -> Iterator[tuple[str, str]]:
    for row in listed:
        if row.default not in ("", "required"):
            yield f"`{_dotted(row)}`", row.default


def _table(listed: Iterable[Row]) -> Iterator[str]:
    yield from _grid(
        ("option", "takes", "default", "meaning", "example"),
        (
            (f"`{_dotted(row)}`", row.allowed, row.default, row.help, _shown(row))
            for row in listed
        ),
    )
    yield ""


def _shown(row: Row) -> str:
    """@return: an example as it is written in a file, with its key."""
    if not row.example:
        return ""
    node = written(row.example)
    if isinstance(node, Table | Items):
        return f"`{row.path[-1]}: {row.example}`"
    line = write(Table(_HERE, {row.path[-1]: Entry(_HERE, node)})).rstrip()
    return f"`{line}`"


def _list(listed: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, meaning in listed:
        yield f"* `{term}`: {meaning}" if meaning else f"* `{term}`"
    yield ""


def _grid(heads: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for cells in lines:
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _dotted(row: Row) -> str:
    return ".".join(row.path)


def sentence(text: str) -> str:
    """@return: the first letter in upper case, a full stop at the end."""
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")
