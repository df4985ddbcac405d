"""Scripts that complete command lines in bash and zsh."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Final

import attrs


class Kind(Enum):
    """What may stand in one place of a command line."""

    NOTHING = auto()
    FILE = auto()
    ROUTE = auto()
    WORDS = auto()
    TEXT = auto()


@attrs.frozen
class Argument:
    """
    An option, or a word of its own.

    @ivar names: an option's, such as C{-c} and C{--config}; else none.
    @ivar value: what it is called in the usage.
    @ivar many: it may stand there more than once.
    """

    names: tuple[str, ...]
    help: str
    kind: Kind
    value: str = ""
    words: tuple[str, ...] = ()
    many: bool = False


@attrs.frozen
class Command:
    """A sub-command and what it takes."""

    name: str
    help: str
    arguments: tuple[Argument, ...]

    @property
    def options(self) -> list[Argument]:
        return [argument for argument in self.arguments if argument.names]

    @property
    def operands(self) -> list[Argument]:
        return [argument for argument in self.arguments if not argument.names]


# -- bash

_BASH: Final = """\
# Completion of portmux for bash, made by: portmux completion bash
_portmux() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command='' word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD - 1}}"; do
        if [[ $word != -* ]]; then
            command=$word
            break
        fi
    done
    COMPREPLY=()
    case $command,$prev in
{values}
    esac
    case $command,$cur in
    ,*) _portmux_words {commands} --help --version ;;
{words}
    esac
}}
_portmux_words() {{
    mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur")
}}
_portmux_routes() {{
    [[ " ${{COMP_WORDS[*]}} " == *' --listen '* ]] || return
    _portmux_words "$@"
    compopt -o nospace 2>/dev/null
}}
_portmux_files() {{
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
}}
complete -F _portmux portmux
"""


def bash(commands: Sequence[Command]) -> str:
    """@return: a script for C{source}, or for bash-completion's folder."""
    values = [line for each in commands for line in _bash_values(each)]
    words = [line for each in commands for line in _bash_words(each)]
    return _BASH.format(
        commands=" ".join(command.name for command in commands),
        values="\n".join(values),
        words="\n".join(words),
    )


def _bash_values(command: Command) -> Iterator[str]:
    """What follows an option that wants a value."""
    for option in command.options:
        if option.kind is not Kind.NOTHING:
            places = "|".join(f"{command.name},{name}" for name in option.names)
            yield f"    {places}) {_bash_call(option)}return ;;"


def _bash_words(command: Command) -> Iterator[str]:
    names = [name for option in command.options for name in option.names]
    yield f"    {command.name},-*) _portmux_words {' '.join(names)} ;;"
    for operand in command.operands[:1]:
        call = _bash_call(operand).removesuffix("; ")
        yield f"    {command.name},*) {call} ;;"


def _bash_call(argument: Argument) -> str:
    words = " ".join(argument.words)
    calls = {
        Kind.FILE: "_portmux_files; ",
        Kind.WORDS: f"_portmux_words {words}; ",
        Kind.ROUTE: f"_portmux_routes {words}; ",
    }
    return calls.get(argument.kind, "")


# -- zsh

_ZSH: Final = """\
#compdef portmux
# Completion of portmux for zsh, made by: portmux completion zsh
_portmux() {{
    local curcontext=$curcontext state line
    typeset -A opt_args
    _arguments -C '(- *)'{{-h,--help}}'[show help]' \\
        '(- *)--version[show the version]' \\
        '1:command:->command' '*::argument:->argument'
    case $state in
    command)
        local -a commands=(
{commands}
        )
        _describe -t commands command commands
        ;;
    argument)
        case $words[1] in
{arguments}
        esac
        ;;
    esac
}}
_portmux_routes() {{
    (( ${{words[(I)--listen]}} )) && compadd -S '' "$@"
}}
if [[ $funcstack[1] == _portmux ]]; then
    _portmux "$@"
else
    compdef _portmux portmux
fi
"""


def zsh(commands: Sequence[Command]) -> str:
    """@return: a script for C{source}, or for a folder of C{fpath}."""
    listed = (_zsh_quoted(f"{each.name}:{each.help}") for each in commands)
    return _ZSH.format(
        commands="\n".join(f"            {one}" for one in listed),
        arguments="\n".join(_zsh_arguments(each) for each in commands),
    )


def _zsh_arguments(command: Command) -> str:
    parts = [_zsh_option(option) for option in command.options]
    for at, operand in enumerate(command.operands, 1):
        place = "*" if operand.many else str(at)
        parts.append(_zsh_quoted(f"{place}{_zsh_value(operand)}"))
    lines = " \\\n                ".join(parts)
    return f"        {command.name})\n            _arguments {lines}\n            ;;"


def _zsh_option(option: Argument) -> str:
    alone = "" if option.many else f"({' '.join(option.names)})"
    text = _zsh_escaped(option.help)
    said = _zsh_quoted(f"[{text}]{_zsh_value(option)}")
    names = option.names[0]
    if len(option.names) > 1:
        names = f"{{{','.join(option.names)}}}"
    start = "*" if option.many else alone
    return f"{_zsh_quoted(start)}{names}{said}"


def _zsh_value(argument: Argument) -> str:
    words = " ".join(argument.words)
    actions = {
        Kind.FILE: "_files",
        Kind.WORDS: f"({words})",
        Kind.ROUTE: f"_portmux_routes {words}",
    }
    if argument.kind is Kind.NOTHING:
        return ""
    return f":{argument.value}:{actions.get(argument.kind, ' ')}"


def _zsh_escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in "[]:\\" else char for char in text)


def _zsh_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


Script = Callable[[Sequence[Command]], str]

SHELLS: Final[Mapping[str, Script]] = {"bash": bash, "zsh": zsh}
"""By name, what writes a shell's script."""
