"""Ask once whether backends answer, each in a thread of its own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Final

import attrs

from portmux.core.address import Address, Unix
from portmux.core.plan import Forwarding, Plan, Serving
from portmux.core.policy import Policy
from portmux.core.pool import Pool

LONGEST: Final = 5.0
"""Seconds that a probe takes at most; from taste: somebody waits for it."""

_GRACE: Final = 0.2
"""Seconds in which a thread may say itself that its time is up."""

Answer = tuple[Address, str | None]


@attrs.frozen
class Probed:
    """
    One backend of one route.

    @ivar route: a route's name, or C{fallback}, C{silent}, C{undecided}.
    @ivar why: why it cannot be connected to, in one clause; None: it answers.
    """

    listener: str
    route: str
    backend: Address
    why: str | None


def probe(policies: Iterable[Policy], longest: float = LONGEST) -> list[Probed]:
    """
    Connect to every backend once, also to one that has several routes.

    @param longest: seconds; a shorter connect timeout of a route counts.
    @return: by listener and route, in configured order.
    """
    wanted = [
        (policy.listener, way.name, backend.address, _patience(way.plan, pool))
        for policy in policies
        for way in policy.table.ways()
        for pool in _pools(way.plan)
        for backend in pool.backends
    ]
    patience: dict[Address, float] = {}
    for _, _, address, timeout in wanted:
        patience[address] = max(patience.get(address, 0), min(timeout, longest))
    answers = dict(_answers(patience))
    return [
        Probed(listener, route, address, answers[address])
        for listener, route, address, _ in wanted
    ]


def _pools(plan: Plan) -> Sequence[Pool]:
    """@return: where it connects to."""
    if isinstance(plan, Serving):
        return () if plan.lasting is None else plan.lasting.pools
    return (plan.pool,) if isinstance(plan, Forwarding) else ()


def _patience(plan: Plan, pool: Pool) -> float:
    timeout = plan.timeout if isinstance(plan, Forwarding) else None
    return pool.settings.timeout if timeout is None else timeout


def _answers(patience: Mapping[Address, float]) -> Iterator[Answer]:
    """
    Threads, for only they can wait for the system's resolver, which knows no end.

    Those that still wait when time is up are left behind; they hold up nobody.
    """
    came: SimpleQueue[Answer] = SimpleQueue()
    started = monotonic()
    for address, timeout in patience.items():
        Thread(target=_ask, args=(address, timeout, came), daemon=True).start()
    waiting = dict(sorted(patience.items(), key=lambda one: one[1]))
    while waiting:
        first, timeout = next(iter(waiting.items()))
        left = started + timeout + _GRACE - monotonic()
        try:
            address, why = came.get(timeout=max(0.0, left))
        except Empty:
            address, why = first, f"no answer in {timeout:g} s"
        if waiting.pop(address, None) is not None:
            yield address, why


def _ask(address: Address, timeout: float, came: SimpleQueue[Answer]) -> None:
    came.put((address, _refusal(address, timeout)))


def _refusal(address: Address, timeout: float) -> str | None:
    """@return: why it cannot be connected to."""
    try:
        if isinstance(address, Unix):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(timeout)
                sock.connect(address.path)
        else:
            _connect(_resolved(address.host, address.port), timeout)
    except socket.gaierror:
        return "the name does not resolve"
    except TimeoutError:
        return f"no answer in {timeout:g} s"
    except OSError as error:
        return os.strerror(error.errno).lower() if error.errno else str(error)
    return None


def _resolved(host: str, port: int) -> Sequence[tuple[int, tuple[object, ...]]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, name) for family, _, _, _, name in found]


def _connect(names: Sequence[tuple[int, tuple[object, ...]]], timeout: float) -> None:
    """@raise OSError: none of the addresses can be connected to; the last one's."""
    deadline = monotonic() + timeout
    for at, (family, name) in enumerate(names):
        # What is left is shared, so that one dead address does not use it up.
        share = max(0.001, (deadline - monotonic()) / (len(names) - at))
        try:
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                sock.settimeout(share)
                sock.connect(name)
            return
        except OSError:
            if at == len(names) - 1:
                raise
