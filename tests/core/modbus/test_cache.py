"""Tests for L{portmux.core.modbus.cache}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.modbus.cache import MOST, Cache
from portmux.core.modbus.carrier import RTU
from portmux.core.modbus.span import Span, Table
from tests.core.modbus.frames import PAIRS

HOLDING = Table.HOLDING_REGISTERS


def read(start: int, count: int, function: int = 3) -> bytes:
    return b"%c%b%b" % (function, start.to_bytes(2, "big"), count.to_bytes(2, "big"))


def registers(*values: int, function: int = 3) -> bytes:
    data = b"".join(value.to_bytes(2, "big") for value in values)
    return b"%c%c%b" % (function, len(data), data)


class CacheTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cache = Cache(2.0)
        self.cache.learn("a", read(10, 3), registers(1, 2, 3), 100.0)

    def known(self, pdu: bytes, device: str = "a", now: float = 100.0) -> bytes | None:
        return self.cache.answer(device, pdu, now)

    def test_real_answers(self) -> None:
        """What a device has answered is answered again, octet by octet."""
        for name in (
            "COILS",
            "DISCRETE_INPUTS",
            "HOLDING_REGISTERS",
            "INPUT_REGISTERS",
        ):
            request, answer = map(RTU.pdu, PAIRS[f"READ_{name}"])
            self.cache.learn("b", request, answer, 100.0)
            known = self.known(request, "b")
            assert known is not None
            # What fills up the last octet is nothing that was asked for.
            self.assertEqual(known[:-1], answer[:-1], name)
            self.assertEqual(known[-1] & ~answer[-1], 0, name)

    def test_parts(self) -> None:
        """Values count, not requests."""
        self.assertEqual(self.known(read(11, 2)), registers(2, 3))
        self.assertEqual(self.known(read(10, 1)), registers(1))
        self.assertIsNone(self.known(read(10, 4)))
        self.assertIsNone(self.known(read(9, 2)))
        self.cache.learn("a", read(13, 1), registers(4), 100.0)
        self.assertEqual(self.known(read(10, 4)), registers(1, 2, 3, 4))

    def test_each_by_itself(self) -> None:
        """Devices, and the tables of one."""
        self.assertIsNone(self.known(read(10, 3), "b"))
        self.assertIsNone(self.known(read(10, 3, function=4)))

    def test_time(self) -> None:
        """From when it was asked for; the oldest value decides."""
        self.assertIsNotNone(self.known(read(10, 3), now=101.9))
        self.assertIsNone(self.known(read(10, 3), now=102.0))
        self.cache.learn("a", read(10, 2), registers(5, 6), 101.0)
        self.assertEqual(self.known(read(10, 2), now=102.5), registers(5, 6))
        self.assertIsNone(self.known(read(10, 3), now=102.5))

    def test_forget(self) -> None:
        """What was written, or all of a device."""
        self.cache.learn("b", read(10, 1), registers(9), 100.0)
        self.cache.forget("a", (Span(HOLDING, 12, 1), Span(Table.COILS, 10, 1)))
        self.assertEqual(self.known(read(10, 2)), registers(1, 2))
        self.assertIsNone(self.known(read(10, 3)))
        self.cache.forget("a", None)
        self.assertIsNone(self.known(read(10, 1)))
        self.assertIsNotNone(self.known(read(10, 1), "b"))
        self.cache.forget("b", (Span(HOLDING, 0, 65535),))
        self.assertIsNone(self.known(read(10, 1), "b"))
        self.cache.forget("c", (Span(HOLDING, 0, 1),))

    def test_what_is_no_answer(self) -> None:
        """It says nothing, and changes nothing."""
        for answer in (
            b"",
            b"\x83\x02",
            registers(7, 8),
            registers(7, 8, 9) + b"\0",
            registers(7, 8, 9, function=4),
        ):
            self.cache.learn("a", read(10, 3), answer, 100.0)
            self.assertEqual(self.known(read(10, 3)), registers(1, 2, 3), answer)
        self.cache.learn("a", b"\x06\0\0\0\1", b"\x06\0\0\0\1", 100.0)
        self.assertIsNone(self.known(b"\x06\0\0\0\1"))

    def test_limit(self) -> None:
        """Rather than more it remembers nothing but the newest."""
        cache = Cache(2.0)
        most = MOST // 125
        for device in range(most):
            cache.learn(device, read(0, 125), registers(*range(125)), 100.0)
        self.assertIsNotNone(cache.answer(0, read(0, 125), 100.0))
        cache.learn("more", read(0, 125), registers(*range(125)), 100.0)
        self.assertIsNone(cache.answer(0, read(0, 1), 100.0))
        self.assertIsNotNone(cache.answer("more", read(0, 1), 100.0))

    def test_counts(self) -> None:
        """What was forgotten, or is known already, leaves room."""
        for _ in range(3):
            for device in range(MOST // 125 - 1):
                self.cache.learn(device, read(0, 125), registers(*range(125)), 100.0)
                self.cache.forget(device, (Span(HOLDING, 0, 100),))
                self.cache.forget(device, None)
        self.assertIsNotNone(self.known(read(10, 3)))

    @given(
        st.integers(0, 40), st.lists(st.booleans(), min_size=1, max_size=40), st.data()
    )
    def test_bits(self, start: int, bits: list[bool], data: st.DataObject) -> None:
        """Any part of coils is what the device would answer for it."""

        def packed(chosen: list[bool]) -> bytes:
            octets = bytearray((len(chosen) + 7) // 8)
            for at, bit in enumerate(chosen):
                octets[at // 8] |= bit << at % 8
            return b"\x01%c%b" % (len(octets), bytes(octets))

        cache = Cache(2.0)
        cache.learn("a", read(start, len(bits), 1), packed(bits), 100.0)
        first = data.draw(st.integers(0, len(bits) - 1))
        count = data.draw(st.integers(1, len(bits) - first))
        found = cache.answer("a", read(start + first, count, 1), 100.0)
        self.assertEqual(found, packed(bits[first : first + count]))
