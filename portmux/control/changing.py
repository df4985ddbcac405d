"""Our own commands that change something, one function each."""

from __future__ import annotations

from typing import cast, get_args

from portmux.config.logs import Level
from portmux.control import commands
from portmux.control.admin import Admin, Standing
from portmux.control.handling import IMPOSSIBLE, UNKNOWN, handles
from portmux.control.naming import fitting, named, standing_named
from portmux.control.reply import DONE, Reply, Row, listed, pairs
from portmux.errors import CommandError


@handles(commands.Kill)
def kill(admin: Admin, command: commands.Kill) -> Reply:
    words = (command.listener, command.route, command.backend, command.client)
    if command.session is None and not any(words):
        raise CommandError(
            IMPOSSIBLE, "Say which: a number, or listener, route, backend or client"
        )
    count = admin.kill(fitting(admin, command))
    if command.session is not None and not count:
        raise CommandError(UNKNOWN, f"There is no session {command.session}")
    return Reply(f"Killed: {count}", result=count)


@handles(commands.Enable)
def enable(admin: Admin, command: commands.Enable) -> Reply:
    admin.enable(*named(admin, command.pool, command.backend))
    return DONE


@handles(commands.Disable)
def disable(admin: Admin, command: commands.Disable) -> Reply:
    admin.disable(*named(admin, command.pool, command.backend))
    return DONE


@handles(commands.Drain)
def drain(admin: Admin, command: commands.Drain) -> Reply:
    admin.drain(*named(admin, command.pool, command.backend))
    return DONE


@handles(commands.Weight)
def weight(admin: Admin, command: commands.Weight) -> Reply:
    pool, backend = named(admin, command.pool, command.backend)
    if not 1 <= command.weight <= 256:
        raise CommandError(IMPOSSIBLE, "A weight is a whole number, 1 to 256")
    admin.weigh(pool, backend, command.weight)
    return DONE


@handles(commands.Limits)
def limits(admin: Admin, command: commands.Limits) -> Reply:
    wanted = {
        name: _limit(name, getattr(command, name))
        for name in ("connections", "per_source", "rate")
        if getattr(command, name)
    }
    if wanted and not command.listener:
        raise CommandError(IMPOSSIBLE, "Say which listener")
    if wanted:
        standing_named(admin, command.listener)
        admin.limit(command.listener, wanted)
    standing = list(admin.listeners().values())
    if command.listener:
        standing = [standing_named(admin, command.listener)]
    return listed("Listeners", [_limits(each) for each in standing])


def _limit(name: str, text: str) -> float | None:
    if text == "none":
        return None
    try:
        value = float(text) if name == "rate" else int(text)
    except ValueError:
        value = 0
    if not 0 < value < 1 << 53:
        raise CommandError(IMPOSSIBLE, f"{name} is not a number above 0, or none")
    return value


def _limits(standing: Standing) -> Row:
    limits = standing.policy.gate.limits
    return {
        "listener": standing.name,
        "connections": limits.connections,
        "per_source": limits.per_source,
        "rate": limits.rate,
        "sessions": standing.policy.gate.live,
    }


@handles(commands.Log)
def log(admin: Admin, command: commands.Log) -> Reply:
    if command.level:
        if command.level not in get_args(Level):
            levels = ", ".join(get_args(Level))
            raise CommandError(IMPOSSIBLE, f"A level is one of {levels}")
        admin.log(cast(Level, command.level), command.part)
    told = {name or "level": level for name, level in admin.log_levels().items()}
    parts = {name: level for name, level in told.items() if name != "level"}
    return Reply(f"level {told['level']}", pairs(parts), told)


@handles(commands.Reload)
def reload(admin: Admin, command: commands.Reload) -> Reply:
    faults = admin.reload()
    if faults:
        text = "; ".join(faults)
        raise CommandError(IMPOSSIBLE, f"Not reloaded: {text}")
    return Reply("reloaded")


@handles(commands.Forget)
def forget(admin: Admin, command: commands.Forget) -> Reply:
    admin.forget()
    return DONE
