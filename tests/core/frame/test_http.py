"""Tests for L{portmux.core.frame.http}."""

from __future__ import annotations

import h11
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.frame.framer import Frame, Reader
from portmux.core.frame.http import LONGEST_HEAD, Http
from portmux.core.option import Octets
from portmux.errors import Malformed
from portmux.testing import noise
from tests.core.frame.reading import at_every_cut, fault, frames, read, work
from tests.openings import OPENINGS

GET = Frame(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
HEAD = Frame(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")

REQUESTS = [
    GET.data,
    HEAD.data,
    b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\r\n\r",
    b"PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x=y\r\nhello\r\n0\r\nTrailer: z\r\n\r\n",
    *(OPENINGS[name] for name in ("http11-curl", "http11-curl-post", "http11-wget")),
]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
    b"5;x=y\r\nhello\r\n0\r\nTrailer: z\r\n\r\n"
)
NO_CONTENT = b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
UNTIL_END = b"HTTP/1.1 200 OK\r\n\r\nall of it"
ANSWERS = [OK, CHUNKED, NO_CONTENT, CONTINUE, UNTIL_END]

requests, answers = Http().requests, Http().answers


def after(reader: Reader, data: bytes, request: Frame | None = None) -> Frame | None:
    reader.feed(data)
    return reader.read(request)


class RequestTests(SynchronousTestCase):
    def test_stream(self) -> None:
        """Pipelined requests are each one frame, unchanged."""
        self.assertEqual(read(requests, b"".join(REQUESTS)), REQUESTS)

    def test_empty_lines(self) -> None:
        """RFC 9112, section 2.2: some clients send one too many."""
        stream = b"\r\n" + GET.data + b"\r\n\r\n" + HEAD.data
        self.assertEqual(read(requests, stream), [GET.data, HEAD.data])

    def test_last(self) -> None:
        """Who wants no more says so."""
        found, _, _ = at_every_cut(requests, GET.data + b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual([frame.closes for frame in found], [False, True])

    def test_not_http(self) -> None:
        """What no request begins with is known as such, however it goes on."""
        for name in ("tls13-curl", "ssh-openssh", "modbus-tcp", "h2-curl"):
            data = OPENINGS[name]
            self.assertEqual(fault(requests, data), "no request line of HTTP/1", name)
        self.assertIsNone(fault(requests, b"GET /"))
        self.assertEqual(fault(requests, b"\0"), "no request line of HTTP/1")
        self.assertEqual(fault(requests, b"\r\r\n"), "no request line of HTTP/1")

    def test_limit_of_heads(self) -> None:
        fill = LONGEST_HEAD - len(GET.data)
        longest = GET.data[:-4] + b"x" * fill + GET.data[-4:]
        cuts = (1, 99, LONGEST_HEAD - 1)
        found, wrong, held = frames(requests, longest + GET.data, cuts)
        self.assertEqual([frame.data for frame in found], [longest, GET.data])
        self.assertEqual((wrong, held), (None, 0))
        longer = longest[:-4] + b"x" + longest[-4:]
        text = f"a head of more than {LONGEST_HEAD} octets"
        self.assertEqual(frames(requests, longer, cuts), ([], text, 0))

    def test_limit(self) -> None:
        """Of all of the message; told before its body has come, if it can be."""
        for request in REQUESTS[2:4]:
            size = len(request)
            exact = Http(limit=Octets(size)).requests
            self.assertEqual(read(exact, request + request), [request, request])
            shorter = Http(limit=Octets(size - 1)).requests
            text = f"a message of more than {size - 1} octets"
            self.assertEqual(fault(shorter, request), text)
        head = b"PUT / HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n"
        self.assertEqual(fault(requests, head), "a message of more than 1048576 octets")
        head = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n"
        self.assertEqual(fault(requests, head), "a message of more than 1048576 octets")

    def test_malformed_for_good(self) -> None:
        for data in (
            b"\0",
            b"GET / HTTP/1.1\r\nA\r\n\r\n",
            GET.data[:-2] + b"B\r\n\r\n",
        ):
            reader = requests()
            reader.feed(data)
            for _ in range(2):
                self.assertRaises(Malformed, reader.read)
                reader.feed(GET.data)

    def test_linear(self) -> None:
        """However few octets come at once."""
        for start, octet, more in (
            (b"GET /", b"x", b""),
            (GET.data[:-2], b"A: b\r\n", b"\r\n"),
            (b"PUT / HTTP/1.1\r\nContent-Length: 3000\r\n\r\n", b"x", b""),
        ):
            few, many = (
                work(requests, start + octet * size + more) for size in (200, 800)
            )
            self.assertLess(many, 5 * few, start)


class LeaveTests(SynchronousTestCase):
    """RFC 9110, section 10.1.1."""

    HEAD = b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"

    def test_given(self) -> None:
        """Once, when the head is whole and nothing of the body has come."""
        reader = requests()
        for _ in range(2):
            self.assertIsNone(after(reader, self.HEAD[:-1]))
            self.assertEqual(reader.prompt(), b"")
            self.assertIsNone(after(reader, self.HEAD[-1:]))
            self.assertEqual(reader.prompt(), CONTINUE)
            self.assertIsNone(after(reader, b"o"))
            self.assertEqual(reader.prompt(), b"")
            self.assertEqual(after(reader, b"k"), Frame(self.HEAD + b"ok"))
            self.assertEqual(reader.prompt(), b"")

    def test_not_needed(self) -> None:
        """Who sends the body at once waits for nothing."""
        reader = requests()
        self.assertIsNone(after(reader, self.HEAD + b"o"))
        self.assertEqual(reader.prompt(), b"")
        reader = requests()
        self.assertIsNone(after(reader, self.HEAD.replace(b"Expect", b"Accept")))
        self.assertEqual(reader.prompt(), b"")


class AnswerTests(SynchronousTestCase):
    def test_one_after_the_other(self) -> None:
        """Each is whole with its last octet, and the next one follows."""
        stream = OK + CHUNKED + NO_CONTENT + OK
        self.assertEqual(read(answers, stream, GET), [OK, CHUNKED, NO_CONTENT, OK])

    def test_to_head(self) -> None:
        """It has no body, whatever its length says; the next one may have."""
        head = OK[:-2]
        self.assertEqual(read(answers, head + NO_CONTENT, HEAD), [head, NO_CONTENT])
        reader = answers()
        reader.feed(head + OK)
        self.assertEqual(reader.read(HEAD), Frame(head))
        self.assertEqual(reader.read(GET), Frame(OK))

    def test_interim(self) -> None:
        """It is passed on, and the answer is still to come."""
        found, _, _ = at_every_cut(answers, CONTINUE + CONTINUE + OK, GET)
        self.assertEqual([frame.interim for frame in found], [True, True, False])
        self.assertEqual([frame.data for frame in found], [CONTINUE, CONTINUE, OK])

    def test_until_the_end(self) -> None:
        """Only the end of the connection tells the end of the body."""
        for data in (UNTIL_END, UNTIL_END + UNTIL_END, b"HTTP/1.0 200 OK\r\n\r\n"):
            for size in (len(data), 1):
                reader = answers()
                for at in range(0, len(data), size):
                    self.assertIsNone(after(reader, data[at : at + size], GET))
                self.assertEqual(reader.end(GET), Frame(data, closes=True))
                self.assertEqual((reader.held, reader.end(GET)), (0, None))

    def test_cut_short(self) -> None:
        """What should have gone on is no answer."""
        for data in (OK[:-1], CHUNKED[:-1], OK[:9], b""):
            reader = answers()
            self.assertIsNone(after(reader, data, GET))
            self.assertIsNone(reader.end(GET))
            self.assertEqual(reader.held, len(data))

    def test_limit(self) -> None:
        for answer in (OK, CHUNKED, UNTIL_END):
            size = len(answer)
            exact = Http(answer_limit=Octets(size)).answers
            self.assertIsNone(fault(exact, answer, GET))
            shorter = Http(answer_limit=Octets(size - 1)).answers
            text = f"a message of more than {size - 1} octets"
            self.assertEqual(fault(shorter, answer, GET), text)

    def test_unasked(self) -> None:
        reader = answers()
        self.assertIsNone(reader.read(None))
        reader.feed(OK)
        error = self.assertRaises(Malformed, reader.read, None)
        self.assertEqual(str(error), "an answer that nobody has asked for")

    def test_not_http(self) -> None:
        for data in (b"SSH-2.0-x\r\n", b"HTTP/2", b"<html>"):
            self.assertEqual(fault(answers, data, GET), "no status line of HTTP/1")


BODY = st.none() | st.lists(st.binary(min_size=1, max_size=9), max_size=3)


def made_by_h11(
    connection: h11.Connection, event: h11.Request | h11.Response, body: list[bytes]
) -> bytes:
    """@return: a whole message, as h11 writes it."""
    pieces = [connection.send(event)]
    pieces += [connection.send(h11.Data(data=piece)) for piece in body]
    pieces.append(connection.send(h11.EndOfMessage()))
    return b"".join(piece for piece in pieces if piece)


def framing(body: list[bytes] | None, chunked: bool) -> list[tuple[str, str]]:
    if chunked:
        return [("Transfer-Encoding", "chunked")]
    return [("Content-Length", str(sum(map(len, body or ()))))]


def read_by_h11(data: bytes) -> int | None:
    """@return: the octets of the first request that h11 finds; None: it refuses."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(data)
    try:
        while True:
            event = connection.next_event()
            if event in (h11.NEED_DATA, h11.PAUSED):
                return len(data) + 1
            if isinstance(event, h11.EndOfMessage):
                return len(data) - len(connection.trailing_data[0])
    except h11.RemoteProtocolError:
        return None


class H11Tests(SynchronousTestCase):
    """Both see the same messages."""

    @given(st.lists(st.tuples(BODY, st.booleans()), max_size=4), st.data())
    def test_requests(
        self, bodies: list[tuple[list[bytes] | None, bool]], data: st.DataObject
    ) -> None:
        stream = []
        for body, chunked in bodies:
            fields = [("Host", "a"), *framing(body, chunked)]
            event = h11.Request(method="POST", target="/", headers=fields)
            connection = h11.Connection(h11.CLIENT)
            stream.append(made_by_h11(connection, event, body or []))
        whole = b"".join(stream)
        cuts = data.draw(st.sets(st.integers(1, len(whole) + 1)))
        found, wrong, held = frames(requests, whole, cuts)
        self.assertEqual([frame.data for frame in found], stream)
        self.assertEqual((wrong, held), (None, 0))

    @given(BODY, st.booleans(), st.booleans(), st.sampled_from([200, 204, 304, 404]))
    def test_answers(
        self, body: list[bytes] | None, chunked: bool, head: bool, status: int
    ) -> None:
        connection = h11.Connection(h11.SERVER)
        request = HEAD if head else GET
        connection.receive_data(request.data)
        connection.next_event()
        fields = [] if status == 204 else framing(body, chunked)
        event = h11.Response(status_code=status, headers=fields)
        bodiless = head or status in (204, 304)
        answer = made_by_h11(connection, event, [] if bodiless else body or [])
        self.assertEqual(read(answers, answer + answer, request), [answer, answer])

    @given(noise(REQUESTS), st.sets(st.integers(1, 300)))
    def test_any_requests(self, data: bytes, cuts: set[int]) -> None:
        """What is taken for a request h11 takes for the same, or for none."""
        found, wrong, held = frames(requests, data, cuts)
        again, wrong_again, held_again = frames(requests, data)
        self.assertEqual(found, again)
        self.assertEqual((wrong is None, held), (wrong_again is None, held_again))
        for frame in found:
            self.assertIn(read_by_h11(frame.data), (None, len(frame.data)))

    @given(noise(ANSWERS), st.sets(st.integers(1, 300)), st.sampled_from([GET, HEAD]))
    def test_any_answers(self, data: bytes, cuts: set[int], request: Frame) -> None:
        found, wrong, held = frames(answers, data, cuts, request)
        again, wrong_again, held_again = frames(answers, data, (), request)
        self.assertEqual(found, again)
        self.assertEqual((wrong is None, held), (wrong_again is None, held_again))
