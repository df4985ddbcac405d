"""Tests for L{portmux.core.record}."""

from __future__ import annotations

import json
import re
from datetime import datetime

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Address, Host, Unix
from portmux.core.head import printable
from portmux.core.record import Record, as_json, as_text, hint, timestamp

GOOD = Record(
    time=1753142400.25,
    number=7,
    listener="front",
    route="git",
    pattern=1,
    cause="match",
    client=Host("2001:db8::7", 40000),
    local=Host("192.0.2.1", 443),
    backend="10.0.0.5:443",
    attempts=2,
    sent=517,
    received=4096,
    sniffed=0.0123,
    seconds=1.5,
    end="done",
    detail="10.0.0.4:443: connection refused",
    facts=(("sni", "git.example.org"), ("alpn", "h2,http/1.1")),
)


def records(text: st.SearchStrategy[str]) -> st.SearchStrategy[Record]:
    """@return: records with any C{text} where one may stand."""
    addresses: st.SearchStrategy[Address] = st.builds(Unix, text) | st.builds(
        Host, text, st.integers(0, 65535)
    )
    return st.builds(
        Record,
        time=st.floats(0, 4e9),
        number=st.integers(1),
        listener=text,
        route=text,
        pattern=st.none() | st.integers(0, 99),
        cause=st.just("match"),
        client=addresses,
        local=addresses,
        backend=text,
        attempts=st.integers(0, 9),
        sent=st.integers(0),
        received=st.integers(0),
        sniffed=st.floats(0, 1e6),
        seconds=st.floats(0, 1e6),
        end=st.just("done"),
        detail=text,
        facts=st.lists(st.tuples(st.just("sni"), text), max_size=1).map(tuple),
        hint=text,
    )


any_text = st.text(st.characters())

ALWAYS = (
    " session= listener= route= cause= client= local= backend= attempts="
    " sent= received= sniffed= seconds= end="
)


class TextTests(SynchronousTestCase):
    """One line of key=value for each session."""

    def test_whole(self) -> None:
        """The format that people's scripts read: it does not change by accident."""
        self.assertEqual(
            as_text(GOOD),
            "2025-07-22T00:00:00.250Z session=7 listener=front route=git pattern=1"
            " cause=match client=[2001:db8::7]:40000 local=192.0.2.1:443"
            " backend=10.0.0.5:443 attempts=2 sent=517 received=4096 sniffed=0.012"
            " seconds=1.500 end=done sni=git.example.org alpn=h2,http/1.1"
            ' detail="10.0.0.4:443: connection refused"',
        )

    def test_what_is_not_known_is_left_out(self) -> None:
        """A refused connection has no pattern, no facts and nothing to tell."""
        plain = attrs.evolve(GOOD, pattern=None, facts=(), detail="")
        line = as_text(plain)
        self.assertNotIn("pattern=", line)
        self.assertTrue(line.endswith(" end=done"))

    @given(records(any_text))
    def test_nothing_forges_a_field(self, record: Record) -> None:
        """Whatever stands in a record, its line has the fields that it should."""
        line = as_text(record)
        fields = line
        for name, value in (("hint", record.hint), ("detail", record.detail)):
            fields, quote, said = fields.partition(f' {name}="')
            if quote:
                self.assertEqual(said.count('"'), 1)
                self.assertTrue(said.endswith('"'))
                self.assertTrue(said.isprintable())
            self.assertEqual(bool(quote), bool(value))
        self.assertIsNotNone(re.fullmatch(r"[!#-~]+( [a-z]+=[!#-~]*)*", fields))
        keys = re.sub("(?<==)[^ ]*", "", fields.partition(" ")[2])
        self.assertEqual(re.sub(" (pattern|sni)=", "", f" {keys}"), ALWAYS)
        self.assertEqual("pattern=" in keys, record.pattern is not None)
        self.assertEqual(keys.count("sni="), len(record.facts))

    def test_a_client_names_its_own_socket(self) -> None:
        """A unix client chooses the path it comes from; it cannot write our log."""
        bad = Unix('/tmp/a\nb end=done "')
        line = as_text(attrs.evolve(GOOD, client=bad))
        self.assertIn(r" client=unix:/tmp/a\x0ab\x20end=done\x20\x22 local=", line)

    def test_different_clients_look_different(self) -> None:
        """A path cannot pass for another one by looking as if it were escaped."""
        lines = {
            as_text(attrs.evolve(GOOD, client=Unix(path)))
            for path in ("/tmp/a b", "/tmp/a\\x20b", "/tmp/a\\x5cx20b")
        }
        self.assertEqual(len(lines), 3)

    def test_printable_facts_stay_as_they_are(self) -> None:
        """What was made printable once is not escaped again."""
        shown = printable(b'a b\\"')
        line = as_text(attrs.evolve(GOOD, facts=(("host", shown),)))
        self.assertIn(f" host={shown} ", line)

    def test_detail_is_cut(self) -> None:
        """A list of many attempts does not make a line of any length."""
        line = as_text(attrs.evolve(GOOD, detail="x" * 9999))
        self.assertTrue(line.endswith(' detail="' + "x" * 200 + '"'))


class JsonTests(SynchronousTestCase):
    """The same as one JSON object on one line."""

    def test_whole(self) -> None:
        self.assertEqual(
            json.loads(as_json(GOOD)),
            {
                "time": "2025-07-22T00:00:00.250Z",
                "session": 7,
                "listener": "front",
                "route": "git",
                "pattern": 1,
                "cause": "match",
                "client": "[2001:db8::7]:40000",
                "local": "192.0.2.1:443",
                "backend": "10.0.0.5:443",
                "attempts": 2,
                "sent": 517,
                "received": 4096,
                "sniffed": 0.0123,
                "seconds": 1.5,
                "end": "done",
                "detail": "10.0.0.4:443: connection refused",
                "queued": 0.0,
                "facts": {"sni": "git.example.org", "alpn": "h2,http/1.1"},
                "hint": "",
            },
        )

    @given(records(st.text()))
    def test_one_line_that_parses_to_the_same(self, record: Record) -> None:
        """Nothing gets lost or out of its place, whatever the values are."""
        line = as_json(record)
        self.assertIsNotNone(re.fullmatch(r"[ -\x7f]*", line))
        found = json.loads(line)
        for name in ("listener", "route", "pattern", "sent", "detail"):
            self.assertEqual(found[name], getattr(record, name))
        self.assertEqual(found["client"], str(record.client))
        self.assertEqual(found["facts"], dict(record.facts))
        names = {field.name for field in attrs.fields(Record)}
        self.assertEqual(set(found), names - {"number"} | {"session"})


class HintTests(SynchronousTestCase):
    """How to ask why no route fits."""

    def test_command(self) -> None:
        """It can be typed as it stands."""
        self.assertEqual(
            hint("front", b"GET\n"),
            "explain with: portmux explain --listener front --hex 4745540a",
        )

    def test_many_octets(self) -> None:
        """The line stays short, and says that it has not all of them."""
        text = hint("front", b"a" * 65)
        self.assertEqual(text.count("61"), 64)
        self.assertTrue(text.endswith(" # first 64 of 65 octets"))

    def test_last_in_the_line(self) -> None:
        """Behind the detail, in quotes; whole, however long it is."""
        longest = hint("x" * 64, b"a" * 100)
        line = as_text(attrs.evolve(GOOD, hint=longest))
        self.assertTrue(line.endswith(f' refused" hint="{longest}"'))


class TimestampTests(SynchronousTestCase):
    """Moments are told in UTC."""

    @given(st.floats(0, 4e9))
    def test_to_the_millisecond(self, seconds: float) -> None:
        """Whichever moment was asked for before."""
        shown = timestamp(seconds)
        self.assertIsNotNone(
            re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", shown)
        )
        read = datetime.fromisoformat(shown).timestamp()
        self.assertLessEqual(abs(read - seconds), 0.000501)

    def test_the_last_millisecond(self) -> None:
        """It may round up into the next second."""
        self.assertEqual(timestamp(59.9996), "1970-01-01T00:01:00.000Z")
        self.assertEqual(timestamp(0.0), "1970-01-01T00:00:00.000Z")
        self.assertEqual(timestamp(1753142400.001), "2025-07-22T00:00:00.001Z")
