"""What Modbus knows of requests: whether they may go, where, and what is known."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, Protocol

import attrs

from portmux.core.address import Address
from portmux.core.frame.framer import Dialogue, Frame
from portmux.core.modbus.access import EVERYBODY, Rule, judge, pretended
from portmux.core.modbus.cache import Cache
from portmux.core.modbus.carrier import Carrier
from portmux.core.modbus.dialogue import refusal
from portmux.core.modbus.pdu import EXCEPTION, Code, reads
from portmux.core.modbus.span import written
from portmux.core.modbus.units import LAST, Units

_NAMES = [str(unit) for unit in range(LAST + 1)]

SILENCE = Frame(b"")
"""What is answered to who expects nothing."""

_ABSENT = (Code.GATEWAY_PATH_UNAVAILABLE, Code.GATEWAY_TARGET_FAILED)


class Wanted(Protocol):
    """What a framer's options say."""

    @property
    def places(self) -> Units: ...

    @property
    def other_units(self) -> Literal["pass", "refuse"]: ...

    @property
    def access(self) -> Sequence[Rule]: ...

    @property
    def share(self) -> bool: ...

    @property
    def cache(self) -> float | None: ...


@attrs.define(eq=False)
class ModbusExpert:
    """
    One for each multiplexer; a L{portmux.core.mux.expert.Expert}.

    @ivar _wanted: what a configuration says.
    """

    _carrier: Carrier
    _dialogue: Dialogue
    _wanted: Wanted
    _cache: Cache | None = attrs.field(init=False)
    _lenient: bool = attrs.field(init=False)
    """All requests go on."""
    _asked: dict[int, tuple[int, float]] = attrs.field(factory=dict, init=False)
    _changes: int = attrs.field(default=0, init=False)
    _changed: dict[Hashable, int] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        wanted = self._wanted
        seconds = wanted.cache
        self._cache = None if seconds is None else Cache(seconds)
        open_to_all = wanted.other_units == "pass" and not wanted.access
        self._lenient = open_to_all and self._cache is None

    # -- before a request is sent

    def reply(
        self, request: Frame, client: Address, now: float, fresh: bool
    ) -> Frame | None:
        """A refusal, what a write that is ignored is told, or what is remembered."""
        if self._lenient:
            return None
        unit, pdu = self._parts(request)
        if self._wanted.other_units == "refuse" and unit not in self._wanted.places:
            return self._refused(request, Code.GATEWAY_PATH_UNAVAILABLE)
        rule = judge(self._wanted.access, client, unit, pdu)
        if rule is not None and rule.then != "allow":
            done = pretended(pdu) if rule.then == "ignore" else None
            if done is not None:
                return self._told(request, done)
            wrong = Code.ILLEGAL_ADDRESS if rule.registers else Code.ILLEGAL_FUNCTION
            return self._refused(request, wrong)
        if self._cache is None or fresh:
            return None
        known = self._cache.answer(self._wanted.places.device(unit), pdu, now)
        return None if known is None else self._told(request, known)

    def unit(self, request: Frame) -> str | None:
        """Its number, as clients name it."""
        return _NAMES[self._carrier.unit(request.data)]

    def target(self, request: Frame) -> int:
        return self._wanted.places.target(self._carrier.unit(request.data))

    def sharing(self, request: Frame) -> Hashable | None:
        """Reads of one device with the same words."""
        if not self._wanted.share:
            return None
        unit, pdu = self._parts(request)
        if not reads(pdu) or not self._dialogue.answered(request):
            return None
        return self._wanted.places.device(unit), pdu

    # -- then

    def sent(self, request: Frame, now: float) -> None:
        """From now on a write may be done; a read may be answered as of now."""
        if self._cache is not None:
            if not self._dialogue.repeatable(request):
                self._heed(request, self._cache)
            elif self._dialogue.answered(request):
                self._asked[id(request)] = self._changes, now

    def answered(self, request: Frame, answer: Frame, now: float) -> None:
        """What a read brings is remembered, unless something was written meanwhile."""
        if self._cache is None:
            return
        if not self._dialogue.repeatable(request):
            self._heed(request, self._cache)
            return
        unit, pdu = self._parts(request)
        device = self._wanted.places.device(unit)
        changes, asked = self._asked.pop(id(request), (-1, now))
        everybody = self._everybody(device)
        newest = max(self._changed.get(one, 0) for one in (device, everybody))
        if newest <= changes:
            told = self._carrier.pdu(answer.data)
            self._cache.learn(device, pdu, told, asked)

    def mute(self, answer: Frame) -> bool:
        """@return: a gateway says that the device is not there, or says nothing."""
        pdu = self._carrier.pdu(answer.data)
        return len(pdu) > 1 and bool(pdu[0] & EXCEPTION) and pdu[1] in _ABSENT

    def lost(self, request: Frame, now: float) -> None:
        """A write may have been done."""
        if self._cache is not None and self._asked.pop(id(request), None) is None:
            self._heed(request, self._cache)

    # -- what they have in common

    def _heed(self, request: Frame, cache: Cache) -> None:
        """Something is changed in a device, or in all of one target."""
        unit, pdu = self._parts(request)
        device = self._wanted.places.device(unit)
        self._changes += 1
        self._changed[device] = self._changes
        if device == self._everybody(device):
            cache.clear()
        else:
            cache.forget(device, written(pdu))

    def _everybody(self, device: tuple[int, int]) -> Hashable:
        return device[0], EVERYBODY

    def _parts(self, frame: Frame) -> tuple[int, bytes]:
        data = frame.data
        return self._carrier.unit(data), self._carrier.pdu(data)

    def _told(self, request: Frame, pdu: bytes) -> Frame:
        if not self._dialogue.answered(request):
            return SILENCE
        data, carrier = request.data, self._carrier
        return Frame(carrier.frame(data, carrier.unit(data), pdu))

    def _refused(self, request: Frame, code: Code) -> Frame:
        if not self._dialogue.answered(request):
            return SILENCE
        return refusal(self._carrier, request, code) or SILENCE
