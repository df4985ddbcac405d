"""Tests of how byte strings are written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.config import octets


class TextTests(SynchronousTestCase):
    def test_escapes(self) -> None:
        """Exactly two hexadecimal digits, of any case; else a backslash is one."""
        for text, value in [
            (r"\00\0E\38", b"\x00\x0e8"),
            (r"\4G", b"\\4G"),
            (r"Q\zzQ", b"Q\\zzQ"),
            ("end\\", b"end\\"),
            (r"\\41", b"\\A"),
            (r"\5C41", b"\\41"),
            (r"\+4", b"\\+4"),
            ("é", b"\xc3\xa9"),
            ("", b""),
        ]:
            self.assertEqual(octets.from_text(text), value, text)

    def test_half_a_pair(self) -> None:
        error = self.assertRaises(ValueError, octets.from_text, "a\ud800")
        self.assertIn("not UTF-8", str(error))

    @given(st.binary())
    def test_shown_is_read(self, raw: bytes) -> None:
        shown = octets.show(raw)
        self.assertTrue(shown.isascii() and shown.isprintable())
        self.assertEqual(octets.from_text(shown), raw)


class DoubleQuoteTests(SynchronousTestCase):
    def test_plain_ascii(self) -> None:
        """What cannot be mistaken is read like any text."""
        self.assertEqual(octets.from_double_quotes("\x16\x03\x01"), b"\x16\x03\x01")
        self.assertEqual(octets.from_double_quotes("GET /\r\n"), b"GET /\r\n")

    def test_characters_from_80_name_hex(self) -> None:
        r"""C{"\x80"} would be the octets c2 80."""
        for text in ["\x80", "a\xff", "é"]:
            error = self.assertRaises(ValueError, octets.from_double_quotes, text)
            self.assertIn("hex", str(error))

    def test_escapes_of_one_digit_name_hex(self) -> None:
        r"""C{"\00\0e"} in YAML is NUL, 0, NUL, e: nobody means that."""
        for text in ["\x000", "\x00e", "\x1b8", "\x07a", "\x08b", "\x0cf"]:
            error = self.assertRaises(ValueError, octets.from_double_quotes, text)
            self.assertIn("hex", str(error))


class HexTests(SynchronousTestCase):
    def test_digits(self) -> None:
        self.assertEqual(octets.from_hex("000E38"), b"\x00\x0e8")
        self.assertEqual(octets.from_hex("00 0e 38"), b"\x00\x0e8")

    def test_refused(self) -> None:
        for text in ["0", "0x10", "zz", "00:11"]:
            error = self.assertRaises(ValueError, octets.from_hex, text)
            self.assertIn("0-9 and a-f", str(error))
