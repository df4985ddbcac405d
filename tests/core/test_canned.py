"""Tests for L{portmux.core.canned}: our side against h11's client, in memory."""

from __future__ import annotations

from itertools import pairwise

import h11
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.canned import TEXT, Conversation, Header, Next, Say

NOW = 784111777.0
"""The example of RFC 9110, section 5.6.7."""

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
POST = (
    b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n0\r\n\r\n"
)
OLD = b"GET / HTTP/1.0\r\n\r\n"


def play(
    conversation: Conversation,
    body: bytes = b"hello",
    status: int = 200,
    headers: tuple[Header, ...] = (TEXT,),
) -> tuple[bytes, Next | None]:
    """@return: all that is said, and what the conversation waits for then."""
    said = b""
    while True:
        step = conversation.next(NOW)
        if isinstance(step, Say):
            said += step.data
        elif step is Next.ASK:
            said += conversation.begin(status, headers, len(body), NOW)
            for octet in body[: conversation.remaining]:
                said += conversation.body(bytes([octet]))
        else:
            return said, step


def answered(requests: bytes, **how: object) -> tuple[bytes, Next | None]:
    """@return: as L{play}, of a conversation that has received these bytes."""
    conversation = Conversation()
    conversation.receive(requests)
    return play(conversation, **how)  # type: ignore[arg-type] # of play


def read(said: bytes, methods: tuple[str, ...]) -> list[tuple[int, bytes]]:
    """@return: status and body of each answer, as a client understands them."""
    client = h11.Connection(h11.CLIENT)
    client.receive_data(said)
    found = []
    for method in methods:
        client.send(h11.Request(method=method, target="/", headers=[("Host", "test")]))
        client.send(h11.EndOfMessage())
        head = client.next_event()
        assert isinstance(head, h11.Response)
        body = b""
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            assert isinstance(event, h11.Data)
            body += event.data
        found.append((head.status_code, body))
        if client.our_state is h11.DONE and client.their_state is h11.DONE:
            client.start_next_cycle()
    assert not client.trailing_data[0]
    return found


class AnswerTests(SynchronousTestCase):
    def test_answer(self) -> None:
        """Head and body, to the octet."""
        said, then = answered(GET)
        self.assertEqual(
            said,
            b"HTTP/1.1 200 OK\r\n"
            b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            b"Content-Type: text/plain; charset=utf-8\r\n"
            b"Content-Length: 5\r\n\r\nhello",
        )
        self.assertIsNone(then)

    def test_headers_are_the_callers(self) -> None:
        """A date of its own stands; an unknown status has no phrase."""
        said, _ = answered(GET, status=299, headers=(("date", "now"), ("X-a", "b")))
        self.assertEqual(
            said,
            b"HTTP/1.1 299 \r\ndate: now\r\nX-a: b\r\nContent-Length: 5\r\n\r\nhello",
        )

    def test_many_on_one_connection(self) -> None:
        """Pipelined requests are answered in order, bodies of requests dropped."""
        said, then = answered(GET + POST + GET)
        self.assertEqual(read(said, ("GET", "POST", "GET")), [(200, b"hello")] * 3)
        self.assertIsNone(then)

    def test_not_before_it_is_taken(self) -> None:
        """The next request waits until the answer before is whole."""
        conversation = Conversation()
        conversation.receive(GET + GET)
        self.assertEqual(conversation.next(NOW), Next.ASK)
        conversation.begin(200, (), 5, NOW)
        conversation.body(b"hel")
        self.assertEqual(conversation.remaining, 2)
        conversation.body(b"lo")
        self.assertEqual(conversation.next(NOW), Next.ASK)

    def test_not_before_it_is_whole(self) -> None:
        """A request's body is waited for."""
        conversation = Conversation()
        conversation.receive(POST[:-2])
        self.assertEqual(play(conversation), (b"", None))
        conversation.receive(POST[-2:])
        self.assertEqual(read(play(conversation)[0], ("POST",)), [(200, b"hello")])

    def test_head(self) -> None:
        """The same head as of GET, and no body; the connection goes on."""
        head = answered(GET)[0].removesuffix(b"hello")
        said, then = answered(GET.replace(b"GET", b"HEAD") + GET)
        self.assertEqual(said, head + head + b"hello")
        self.assertIsNone(then)

    def test_http_1_0(self) -> None:
        """It is answered, and was the last."""
        said, then = answered(OLD + GET)
        self.assertEqual(read(said, ("GET",)), [(200, b"hello")])
        self.assertIn(b"Connection: close\r\n", said)
        self.assertEqual(then, Next.OVER)

    def test_close(self) -> None:
        """The client, or the answer, says that it is the last."""
        asked = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        for said, then in (
            answered(asked + GET),
            answered(GET + GET, headers=(("Connection", "close"),)),
        ):
            self.assertEqual(read(said, ("GET",)), [(200, b"hello")])
            self.assertEqual(then, Next.OVER)

    def test_continue(self) -> None:
        """Who asks before it sends the body has its answer at once, and is done."""
        request = (
            b"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        for following in (b"", b"hel", b"hello" + GET):
            said, then = answered(request + following)
            self.assertEqual(read(said, ("PUT",)), [(200, b"hello")])
            self.assertIn(b"Connection: close\r\n", said)
            self.assertEqual(then, Next.OVER)

    def test_no_content(self) -> None:
        """Some answers have none, and two of these may not tell a length."""
        for status, tells in ((204, False), (205, True), (304, False)):
            said, then = answered(GET + GET, body=b"", status=status, headers=())
            self.assertEqual(read(said, ("GET", "GET")), [(status, b"")] * 2)
            self.assertEqual(b"Content-Length: 0\r\n" in said, tells)
            self.assertIsNone(then)

    def test_upgrade_is_ignored(self) -> None:
        """Whoever would rather speak another protocol is answered in this one."""
        asked = b"\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
        said, then = answered(GET.replace(b"\r\n\r\n", asked) + GET)
        self.assertEqual(read(said, ("GET", "GET")), [(200, b"hello")] * 2)
        self.assertIsNone(then)

    def test_end(self) -> None:
        """A client that has finished still gets its answers."""
        conversation = Conversation()
        conversation.receive(GET + GET)
        conversation.finish()
        said, then = play(conversation)
        self.assertEqual(read(said, ("GET", "GET")), [(200, b"hello")] * 2)
        self.assertEqual(then, Next.OVER)

    def test_end_without_a_request(self) -> None:
        """There is nobody to be answered."""
        conversation = Conversation()
        conversation.finish()
        self.assertEqual(play(conversation), (b"", Next.OVER))


class RefusalTests(SynchronousTestCase):
    """Requests that are wrong: one answer, and the end."""

    def refused(self, requests: bytes) -> int:
        said, then = answered(requests + GET)
        self.assertEqual(then, Next.OVER)
        self.assertIn(b"Connection: close\r\n", said)
        ((status, body),) = read(said, ("GET",))
        self.assertTrue(body.startswith(b"%d " % status))
        return status

    def test_malformed(self) -> None:
        """The library knows the status."""
        for request, status in (
            (b"GET / HTTP/1.1\r\n\r\n", 400),  # RFC 9112, section 3.2: no Host
            (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n", 501),
            (POST.replace(b"3\r\n", b"x\r\n"), 400),
        ):
            self.assertEqual(self.refused(request), status)

    def test_too_long(self) -> None:
        """A head that does not come to its end."""
        said, then = answered(GET[:-2] + b"X: " + b"a" * 70_000)
        self.assertEqual((read(said, ("GET",))[0][0], then), (431, Next.OVER))

    def test_connect(self) -> None:
        """It is never told that it has a tunnel."""
        request = b"CONNECT test:443 HTTP/1.1\r\nHost: test:443\r\n\r\n"
        self.assertEqual(self.refused(request), 501)

    def test_another_version(self) -> None:
        """The preface of HTTP/2, RFC 9113, section 3.4."""
        self.assertEqual(self.refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505)

    def test_not_http(self) -> None:
        """Known from the first octets, not only after an empty line."""
        for data in (
            b"\x16\x03\x01\x00",
            b"SSH-2.0-test\r\n",
            b"hello\n",
            b"\r\n",
            b":",
        ):
            conversation, said, then = Conversation(), b"", None
            for octet in data:
                conversation.receive(bytes([octet]))
                more, then = play(conversation)
                said += more
            self.assertEqual((read(said, ("GET",))[0][0], then), (400, Next.OVER), data)

    def test_line_in_pieces(self) -> None:
        """What the line is refused or taken for does not depend on its segments."""
        for line, status in (
            (b"GET / HTTP/2.0", 505),
            (b"GET http://[zz]/ HTTP/1.1", 200),
            (b"GET / HTTP/11", 400),
        ):
            conversation, said = Conversation(), b""
            for octet in GET.replace(b"GET / HTTP/1.1", line):
                conversation.receive(bytes([octet]))
                said += play(conversation)[0]
            self.assertEqual(read(said, ("GET",))[0][0], status, line)

    def test_end_in_the_middle(self) -> None:
        """Half a request, and no more to come."""
        for part in (GET[:5], GET[:-1], POST[:-4]):
            conversation = Conversation()
            conversation.receive(part)
            self.assertEqual(play(conversation), (b"", None))
            conversation.finish()
            said, then = play(conversation)
            self.assertEqual((read(said, ("GET",))[0][0], then), (400, Next.OVER))

    def test_too_slow(self) -> None:
        """A part of a request is answered, silence is not."""
        body = GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n") + b"he"
        for part in (GET[:5], POST[:-4], body):
            conversation = Conversation()
            conversation.receive(part)
            play(conversation)
            step = conversation.give_up(NOW)
            assert isinstance(step, Say)
            self.assertEqual(read(step.data, ("GET",))[0][0], 408)
            self.assertEqual(conversation.next(NOW), Next.OVER)
        conversation = Conversation()
        conversation.receive(GET)
        play(conversation)
        self.assertEqual(conversation.give_up(NOW), Next.OVER)

    def test_head_is_refused_without_a_body(self) -> None:
        """Also a HEAD request that is wrong has an answer without body."""
        said, _ = answered(POST.replace(b"POST", b"HEAD").replace(b"3\r\n", b"x\r\n"))
        self.assertTrue(said.startswith(b"HTTP/1.1 400 "))
        self.assertTrue(said.endswith(b"\r\n\r\n"))

    def test_noise_behind_head(self) -> None:
        """The refusal of what follows a HEAD request has a body."""
        head = GET.replace(b"GET", b"HEAD")
        for noise in (b"\0", b"x\r\n", b"GET / HTTP/1.1\r\n\r\n"):
            said, waiting = answered(head + noise)
            found = read(said, ("HEAD", "GET"))
            self.assertEqual(found, [(200, b""), (400, b"400 Bad Request\n")])
            self.assertIs(waiting, Next.OVER)

    def test_after_the_end(self) -> None:
        """What still comes changes nothing."""
        conversation = Conversation()
        conversation.receive(b"\n")
        play(conversation)
        conversation.receive(GET)
        conversation.finish()
        self.assertEqual(play(conversation), (b"", Next.OVER))


class PropertyTests(SynchronousTestCase):
    @given(
        st.lists(st.sampled_from([GET, POST, OLD, b"hello\n", GET[:9]]), max_size=4),
        st.sets(st.integers(1, 200)),
    )
    def test_cuts_change_nothing(self, requests: list[bytes], cuts: set[int]) -> None:
        """However the bytes arrive, the same is said."""
        data = b"".join(requests)
        whole = answered(data) if data else (b"", None)
        edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
        conversation, said, then = Conversation(), b"", None
        for start, end in pairwise(edges):
            if start < end:
                conversation.receive(data[start:end])
                more, then = play(conversation)
                said += more
        self.assertEqual((said, then), whole)

    @given(st.binary(min_size=1), st.sampled_from([b"", GET, GET[:20], POST[:50]]))
    def test_noise_never_raises(self, noise: bytes, before: bytes) -> None:
        """Whatever comes has answers, or is waited on for more."""
        conversation = Conversation()
        conversation.receive(before + noise)
        play(conversation)
        conversation.finish()
        self.assertEqual(play(conversation)[1], Next.OVER)
