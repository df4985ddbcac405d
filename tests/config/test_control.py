"""Tests for L{portmux.config.control}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.config.control import USUAL, Control
from portmux.core.address import Host
from tests.config.kinds import faults_of, inputs, loaded


class ControlTests(SynchronousTestCase):
    def control(self, text: str) -> Control:
        return loaded(f"control: {{{text}}}\nstart: any").config.control

    def faults(self, text: str) -> list[str]:
        """@return: without file and position."""
        lines = faults_of(inputs(f"control: {{{text}}}\nstart: any"))
        return [line.split(": ", 1)[1].removeprefix("control.") for line in lines]

    def test_defaults(self) -> None:
        """Nothing but a unix socket."""
        control = self.control("")
        self.assertEqual(control, Control())
        self.assertEqual(
            (control.line, control.rpc, control.socket), (None, None, USUAL)
        )

    def test_all(self) -> None:
        control = self.control(
            'line: "127.0.0.1:9999", rpc: "[::1]:9998", socket: /run/c, commands: plexy'
        )
        self.assertEqual(control.line, Host("127.0.0.1", 9999))
        self.assertEqual(control.rpc, Host("::1", 9998))
        self.assertEqual((control.socket, control.commands), ("/run/c", "plexy"))

    def test_beyond_loopback(self) -> None:
        """Who can change what portmux does has to say a token."""
        for address in ("0.0.0.0:1", "*:1", "10.0.0.1:1", "[::]:1", "systemd:x"):
            for name in ("line", "rpc"):
                (fault,) = self.faults(f'{name}: "{address}"')
                self.assertTrue(fault.startswith(f"{name}: {address} may be"), fault)
                self.assertIn("token-file is needed", fault)
                self.control(f'{name}: "{address}", token-file: /etc/token')
        for address in ("127.9.9.9:1", "[::1]:1", "unix:/run/x"):
            self.control(f'line: "{address}", rpc: none')

    def test_port_alone(self) -> None:
        """What is proposed needs no token."""
        for name in ("line", "rpc"):
            for text in ("9999", ":9999"):
                (fault,) = self.faults(f'{name}: "{text}"')
                self.assertTrue(fault.endswith('; did you mean "127.0.0.1:9999"?'))

    def test_one_place(self) -> None:
        (fault,) = self.faults('line: "127.0.0.1:1", rpc: "127.0.0.1:1"')
        self.assertEqual(fault, "rpc: 127.0.0.1:1 is that of line, another is allowed")
        self.control('line: "127.0.0.1:0", rpc: "127.0.0.1:0"')

    def test_hosts(self) -> None:
        self.assertEqual(self.control("hosts: [a.example]").hosts, ("a.example",))
        (fault,) = self.faults("hosts: [a b]")
        self.assertEqual(fault, 'hosts: "a b" is not a host\'s name')
