"""Actions that answer by themselves, and real clients of them."""

from __future__ import annotations

import http.client
import random
import socket
import urllib.request
from pathlib import Path

from twisted.internet.defer import Deferred, gatherResults

from portmux.actions.close import Close
from portmux.actions.discard import Discard
from portmux.actions.echo import Echo
from portmux.actions.respond import Respond
from portmux.core.plan import Action
from tests.integration.harness import PATIENCE, EngineCase
from tests.net.stage import policy
from tests.sockets import is_reset, receive, reset

DATA = random.Random(1).randbytes(8 << 20)


class ActionCase(EngineCase):
    def offer(self, action: Action) -> int:
        """@return: the port on which every client that speaks gets the action."""
        return self.serve(policy([(b"", action.plan())]))


class CloseTests(ActionCase):
    def test_end(self) -> Deferred[None]:
        """The client reads the end of the stream."""
        return Deferred.fromCoroutine(self._end())

    async def _end(self) -> None:
        client = self.connect(self.offer(Close()))
        client.sendall(b"x")
        self.assertEqual(await self.thread(lambda: receive(client)), b"")
        self.assertEqual((await self.record()).end, "closed")

    def test_reset(self) -> Deferred[None]:
        """The client is cut off."""
        return Deferred.fromCoroutine(self._reset())

    async def _reset(self) -> None:
        client = self.connect(self.offer(Close(reset=True)))
        client.sendall(b"x")
        self.assertTrue(await self.thread(lambda: is_reset(client)))
        self.assertEqual((await self.record()).end, "closed")


class EchoTests(ActionCase):
    def test_all_comes_back(self) -> Deferred[None]:
        """8 MiB, read while they are sent."""
        return Deferred.fromCoroutine(self._all_comes_back())

    async def _all_comes_back(self) -> None:
        client = self.connect(self.offer(Echo()))

        def send() -> None:
            client.sendall(DATA)
            client.shutdown(socket.SHUT_WR)

        sending, receiving = self.thread(send), self.thread(lambda: receive(client))
        await gatherResults([sending])
        self.assertTrue(await receiving == DATA)
        record = await self.record()
        self.assertEqual((record.sent, record.received), (len(DATA), len(DATA)))

    def test_reset(self) -> Deferred[None]:
        """A client that leaves without a word ends it."""
        return Deferred.fromCoroutine(self._reset())

    async def _reset(self) -> None:
        client = self.connect(self.offer(Echo()))
        client.sendall(b"x")
        await self.thread(lambda: receive(client, 1))
        reset(client)
        self.assertEqual((await self.record()).end, "client-lost")


class DiscardTests(ActionCase):
    def test_all_is_taken(self) -> Deferred[None]:
        """8 MiB and no answer but the end."""
        return Deferred.fromCoroutine(self._all_is_taken())

    async def _all_is_taken(self) -> None:
        client = self.connect(self.offer(Discard()))

        def send() -> bytes:
            client.sendall(DATA)
            client.shutdown(socket.SHUT_WR)
            return receive(client)

        self.assertEqual(await self.thread(send), b"")
        self.assertEqual((await self.record()).sent, len(DATA))


class RespondTests(ActionCase):
    """Fixed bytes."""

    def test_client_that_goes_on_sending(self) -> Deferred[None]:
        """It gets the answer all the same: no reset destroys it."""
        return Deferred.fromCoroutine(self._client_that_goes_on_sending())

    async def _client_that_goes_on_sending(self) -> None:
        port = self.offer(Respond(DATA[:100_000]))
        for _ in range(10):
            client = self.connect(port)

            def talk(sock: socket.socket = client) -> bytes:
                sock.sendall(DATA)
                data = receive(sock)
                sock.close()
                return data

            self.assertTrue(await self.thread(talk) == DATA[:100_000])
            record = await self.record()
            self.assertEqual((record.end, record.received), ("done", 100_000))


class HttpTests(ActionCase):
    """The standard library's clients."""

    def test_many_requests(self) -> Deferred[None]:
        """One connection, methods with and without a body."""
        return Deferred.fromCoroutine(self._many_requests())

    async def _many_requests(self) -> None:
        headers = {"Retry-After": "60"}
        action = Respond(status=503, headers=headers, body=b"later\n")
        port = self.offer(action)

        def talk() -> list[tuple[int, str | None, bytes]]:
            connection = http.client.HTTPConnection("127.0.0.1", port, PATIENCE)
            found = []
            for method, body in (("GET", None), ("PUT", DATA), ("HEAD", None)):
                connection.request(method, "/any?thing", body)
                answer = connection.getresponse()
                found.append(
                    (answer.status, answer.getheader("Retry-After"), answer.read())
                )
            sock = connection.sock
            connection.close()
            assert sock is not None, "the connection was not kept"
            return found

        found = await self.thread(talk)
        self.assertEqual(
            found, [(503, "60", b"later\n"), (503, "60", b"later\n"), (503, "60", b"")]
        )
        self.assertEqual((await self.record()).end, "done")

    def test_file(self) -> Deferred[None]:
        """8 MiB, to several clients at a time."""
        return Deferred.fromCoroutine(self._file())

    async def _file(self) -> None:
        path = Path(self.mktemp()).absolute()
        path.write_bytes(DATA)
        port = self.offer(Respond(file=str(path)))

        def get() -> bytes:
            url = f"http://127.0.0.1:{port}/"
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                data: bytes = answer.read()
                return data

        found = await gatherResults([self.thread(get) for _ in range(4)])
        self.assertTrue(all(data == DATA for data in found))
        for _ in range(4):
            self.assertGreater((await self.record()).received, len(DATA))

    def test_client_that_goes_on_sending(self) -> Deferred[None]:
        """A refused upload still has its answer."""
        return Deferred.fromCoroutine(self._client_that_goes_on_sending())

    async def _client_that_goes_on_sending(self) -> None:
        port = self.offer(Respond(body=b"no"))
        client = self.connect(port)

        def talk() -> bytes:
            client.sendall(
                b"PUT / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n"
                b"Content-Length: %d\r\n\r\n" % len(DATA)
            )
            client.sendall(DATA)
            return receive(client)

        answer = await self.thread(talk)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "))
        self.assertTrue(answer.endswith(b"\r\n\r\nno"))
        client.close()
        self.assertEqual((await self.record()).end, "done")
