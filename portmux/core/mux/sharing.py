"""Requests that may have the answer to another one that is on its way."""

from __future__ import annotations

from collections.abc import Hashable

import attrs

from portmux.core.mux.asker import Request, Stage


@attrs.define(eq=False, slots=True)
class Sharing:
    """
    What may be shared: no answer that was asked for before something was changed,
    by who asks after that.
    """

    _first: dict[Hashable, Request] = attrs.field(factory=dict, init=False)

    def join(self, request: Request) -> bool:
        """@return: whether it will have the answer to another request."""
        if request.key is None:
            return False
        first = self._first.setdefault(request.key, request)
        if first is request or request.asker.changes:
            return False
        first.sharers.append(request)
        request.stage = Stage.SENT
        return True

    def over(self, request: Request) -> None:
        """Nobody can join it any more."""
        if request.key is not None and self._first.get(request.key) is request:
            del self._first[request.key]

    def changed(self) -> None:
        """Something may have changed: what was asked before says nothing of it."""
        self._first = {
            key: request
            for key, request in self._first.items()
            if request.stage is Stage.WAITING
        }

    def heir(self, request: Request) -> Request | None:
        """
        A request is withdrawn that others share.

        @return: the one that takes its place, with those that are left.
        """
        self.over(request)
        left = [one for one in request.sharers if not one.asker.gone]
        request.sharers = []
        if not left:
            return None
        heir = left[0]
        heir.sharers = left[1:]
        self._first.setdefault(heir.key, heir)
        return heir
