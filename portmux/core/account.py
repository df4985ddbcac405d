"""The record of a session that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portmux.core.plan import Closing, Serving
from portmux.core.record import Record

if TYPE_CHECKING:
    from portmux.core.session import Session


def account(session: Session, now: float) -> Record:
    """@param now: when the last of its sockets was closed."""
    errand = session.errand
    return Record(
        session.opened,
        session.number,
        session.policy.listener,
        session.route,
        session.pattern,
        session.cause,
        session.source,
        session.local,
        _backend(session),
        0 if errand is None else errand.attempts,
        session.sent,
        session.received,
        session.sniffed,
        now - session.opened,
        session.how,
        session.detail,
        session.facts,
        session.hint,
        0.0 if errand is None else errand.queued,
    )


def _backend(session: Session) -> str:
    """@return: the target, or the action's name."""
    errand = session.errand
    if errand is not None and errand.last is not None:
        return str(errand.last.address)
    plan = session.way.plan if session.way is not None else None
    if isinstance(plan, Serving):
        return plan.name
    return "close" if isinstance(plan, Closing) else "-"
