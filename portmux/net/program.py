"""Connect a client with a program that is run for it, until both are done."""

from __future__ import annotations

import shlex

import attrs
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from portmux.core.address import Address, Host
from portmux.core.session import Session
from portmux.net.child import Child
from portmux.net.childlog import ErrorLines
from portmux.net.client import Client
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
        else:
            await self._serve_with(child, client)

    async def _serve_with(self, child: Child, client: Client) -> None:
        client.transport.registerProducer(child.stdout, True)
        child.stdin.registerProducer(client.transport, True)
        client.attach(_ToProgram(child))
        try:
            end = await child.wait()
        except CancelledError:
            await _end(child)
            raise
        client.conclude("max-time" if end.late else "done", str(end))

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
    """What the client sends is standard input."""

    child: Child

    def received(self, data: bytes) -> None:
        self.child.stdin.write(data)

    def ended(self) -> None:
        self.child.stdin.end()

    def lost(self) -> None:
        self.child.stop()
        self.child.stdin.close()
        self.child.stdout.close()
