"""Connect a client with a program that is run for it, until both are done."""

from __future__ import annotations

import shlex

import attrs
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from portmux.core.address import Address, Host
from portmux.core.session import LINGER, Session
from portmux.net.child import Child
from portmux.net.childlog import ErrorLines
from portmux.net.client import Client
from portmux.net.life import Ending
from portmux.net.process import Command, Unstarted, start


def about(session: Session) -> dict[str, str]:
    """@return: the variables that tell a program whom it serves."""
    return {
        **_ends("REMOTE", session.source),
        **_ends("LOCAL", session.local),
        "PORTMUX_LISTENER": session.listener,
        "PORTMUX_ROUTE": session.route,
    }


def _ends(which: str, address: Address) -> dict[str, str]:
    """A unix socket has a path, which may be empty, and no port."""
    if isinstance(address, Host):
        host, port = address.host, str(address.port)
    else:
        host, port = address.path, ""
    return {f"PORTMUX_{which}_ADDR": host, f"PORTMUX_{which}_PORT": port}


@attrs.frozen
class Runner:
    """Runs one command for many clients."""

    command: Command
    _log = Logger()

    async def serve(self, client: Client) -> None:
        """Over when the program is; cancelled, when it was made to end."""
        environment = {**self.command.environment, **about(client.session)}
        child = start(
            attrs.evolve(self.command, environment=environment),
            client.reactor,
            _ToClient(client),
            ErrorLines(client.reactor, lambda line: self._say(client, line)),
        )
        if isinstance(child, Unstarted):
            self._refused(client, child.reason)
            await _part(client)
        else:
            await self._serve_with(child, client)

    async def _serve_with(self, child: Child, client: Client) -> None:
        sink = _ToProgram(child)
        client.transport.registerProducer(child.stdout, True)
        child.stdin.registerProducer(client.transport, True)
        client.attach(sink)
        try:
            end = await child.wait()
        except CancelledError:
            await _end(child)
            raise
        client.conclude("max-time" if end.late else "done", str(end))
        await _linger(client, sink.over)

    def _refused(self, client: Client, reason: str) -> None:
        self._log.warn(
            "{listener}: {route}: cannot run {program}: {reason}",
            listener=client.session.listener,
            route=client.session.route,
            program=shlex.quote(self.command.arguments[0]),
            reason=reason,
        )
        client.conclude("exec-failed", reason)

    def _say(self, client: Client, line: str) -> None:
        self._log.info(
            "{listener}: {route}: {program} for {source}: {line}",
            listener=client.session.listener,
            route=client.session.route,
            program=shlex.quote(self.command.arguments[0]),
            source=client.session.source,
            line=line,
        )


async def _end(child: Child) -> None:
    """Have the program end, and stay until it has; who is in a hurry cancels again."""
    child.stop()
    try:
        await child.wait()
    except CancelledError:
        child.kill()
        await child.wait()


async def _part(client: Client) -> None:
    """End a connection that nobody will serve, as quietly as if somebody had."""
    client.finish()
    sink = _ToNobody()
    client.attach(sink)
    await _linger(client, sink.over)


async def _linger(client: Client, over: Ending) -> None:
    """
    Go on reading until a client that was told the end has ended as well.

    To close while there is input that nobody has read resets the connection,
    and a reset takes output with it that is still under way. RFC 1122 section
    4.2.2.13.
    """
    timer = client.reactor.callLater(LINGER, over.come)
    try:
        await over.wait()
    finally:
        if timer.active():
            timer.cancel()


@attrs.frozen
class _ToClient:
    """Standard output is what the client gets."""

    client: Client

    def received(self, data: bytes) -> None:
        self.client.write(data)

    def ended(self) -> None:
        self.client.finish()


@attrs.frozen
class _ToProgram:
    """
    What the client sends is standard input.

    @ivar over: the client will send no more.
    """

    child: Child
    over: Ending = attrs.field(factory=Ending, init=False)

    def received(self, data: bytes) -> None:
        self.child.stdin.write(data)

    def ended(self) -> None:
        self.child.stdin.end()
        self.over.come()

    def lost(self) -> None:
        self.child.stop()
        self.child.stdin.close()
        self.child.stdout.close()
        self.over.come()


@attrs.frozen
class _ToNobody:
    """What the client sends is dropped. @ivar over: it will send no more."""

    over: Ending = attrs.field(factory=Ending, init=False)

    def received(self, data: bytes) -> None:
        """Nothing is kept of it."""

    def ended(self) -> None:
        self.over.come()

    def lost(self) -> None:
        self.over.come()
