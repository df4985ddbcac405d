"""Modbus: mbpoll and pymodbus' clients, pymodbus' servers, and portmux between them."""

from __future__ import annotations

from typing import Final

from tests.integration.processes import Foreground, has_ended, until
from tests.peers.stage import PeersCase, Ran, listens

PYTHON: Final = "/usr/bin/python3"
"""Debian's, which has Debian's pymodbus."""

DEVICE: Final = """
import asyncio, sys
from pymodbus.datastore import ModbusSequentialDataBlock as Block
from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer

framer = {"tcp": ModbusSocketFramer, "rtu": ModbusRtuFramer}[sys.argv[2]]
unit = ModbusSlaveContext(
    co=Block(1, [number % 3 == 0 for number in range(1000)]),
    hr=Block(1, [number * 7 for number in range(1000)]),
    ir=Block(1, [number * 9 for number in range(1000)]),
)
context = ModbusServerContext({17: unit}, single=False)
where = "127.0.0.1", int(sys.argv[1])
asyncio.run(
    StartAsyncTcpServer(context, address=where, framer=framer, allow_reuse_address=True)
)
"""
"""Unit 17; other units say nothing."""

CLIENTS: Final = """
import asyncio, random, sys
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer

framer = {"tcp": ModbusSocketFramer, "rtu": ModbusRtuFramer}[sys.argv[2]]

async def talk(number):
    dice = random.Random(number)
    client = AsyncModbusTcpClient(
        "127.0.0.1", port=int(sys.argv[1]), framer=framer, timeout=30
    )
    assert await client.connect() is not None
    for _ in range(int(sys.argv[4])):
        at, count = dice.randrange(400), dice.randrange(1, 100)
        kind = dice.choice(["holding", "input", "coils", "write"])
        if kind == "holding":
            found = await client.read_holding_registers(at, count, slave=1)
            assert found.registers == [n * 7 for n in range(at, at + count)], found
        elif kind == "input":
            found = await client.read_input_registers(at, count, slave=1)
            assert found.registers == [n * 9 for n in range(at, at + count)], found
        elif kind == "coils":
            found = await client.read_coils(at, count, slave=1)
            bits = [n % 3 == 0 for n in range(at, at + count)]
            assert found.bits[:count] == bits, found
        else:
            mine, value = 500 + number, dice.randrange(1 << 16)
            assert not (await client.write_register(mine, value, slave=1)).isError()
            found = await client.read_holding_registers(mine, 1, slave=1)
            assert found.registers == [value], (found.registers, value)
    await client.close()

async def all_of_them():
    await asyncio.gather(*(talk(number) for number in range(int(sys.argv[3]))))

asyncio.run(all_of_them())
print("all", "was", "right")
"""

CONFIG: Final = """
listeners:
  front:
    bind: "127.0.0.1:0"
    mux:
      protocol: {${PROTOCOL}: {units: {1: 17}, ${MORE}}}
      to: "127.0.0.1:${DEVICE}"
      errors: protocol
      timeouts: {answer: ${ANSWER}}
"""

KNOWING: Final = "share: true, cache: 1s, access: [{functions: [5, 15]}]"


class ModbusTests(PeersCase):
    def plant(self, protocol: str, more: str = "", answer: str = "30s") -> None:
        """Start portmux, and behind it a device."""
        self.port = self.reserve()
        self.device = self.start_device(protocol)
        name = {"tcp": "modbus", "rtu": "modbus-rtu"}[protocol]
        text = CONFIG.replace("${PROTOCOL}", name).replace("${MORE}", more)
        text = text.replace("${ANSWER}", answer)
        self.running = self.front(text, DEVICE=self.port)

    def start_device(self, protocol: str) -> Foreground:
        words = (PYTHON, "-c", DEVICE, str(self.port), protocol)
        return self.serve(lambda: listens(self.port), *words)

    def poll(self, *words: str, unit: int = 1) -> Ran:
        """@return: what mbpoll says of one request; its registers count from 1."""
        front = ("-m", "tcp", "-p", str(self.running.port()), "-a", str(unit))
        return self.ask("mbpoll", *front, "-1", "-q", "-o", "10", "127.0.0.1", *words)

    def talk_all(self, protocol: str, clients: int, requests: int) -> None:
        """Have many clients at once compare each value that they get."""
        numbers = (str(self.running.port()), protocol, str(clients), str(requests))
        out = self.ask(PYTHON, "-c", CLIENTS, *numbers).checked()
        self.assertEqual(out, b"all was right\n")

    def test_mbpoll(self) -> None:
        """It reads and writes a unit that has another number there."""
        self.plant("tcp")
        read = self.poll("-r", "11", "-c", "3", "-t", "4").checked()
        for line in (b"[11]: \t70\n", b"[12]: \t77\n", b"[13]: \t84\n"):
            self.assertIn(line, read)
        self.assertIn(b"Written 1", self.poll("-r", "11", "-t", "4", "777").checked())
        self.assertIn(b"[11]: \t777\n", self.poll("-r", "11", "-t", "4").checked())

    def test_refusals(self) -> None:
        """Each is told in the words that the protocol has for it."""
        self.plant("tcp", "other-units: refuse, access: [{functions: write}]")
        written = self.poll("-r", "11", "-t", "4", "777")
        self.assertIn("Illegal function", written.err)
        self.assertIn(b"[11]: \t70\n", self.poll("-r", "11", "-t", "4").checked())
        other = self.poll("-r", "11", "-t", "4", unit=2)
        self.assertIn("Gateway path unavailable", other.err)

    def test_silent_unit(self) -> None:
        """Who asks for it is told so, and the next one is served."""
        self.plant("tcp", answer="500ms")
        silent = self.poll("-r", "11", "-t", "4", unit=2)
        self.assertIn("Target device failed to respond", silent.err)
        self.assertIn(b"[11]: \t70\n", self.poll("-r", "11", "-t", "4").checked())

    def test_device_away(self) -> None:
        """While it is away clients are told so; when it is back they are served."""
        self.plant("tcp")
        self.assertIn(b"[11]: \t70\n", self.poll("-r", "11", "-t", "4").checked())
        self.device.kill()
        away = self.poll("-r", "11", "-t", "4")
        self.assertIn("Gateway path unavailable", away.err)
        self.start_device("tcp")

        def served() -> bool:
            return b"[11]: \t70\n" in self.poll("-r", "11", "-t", "4").out

        until(served, self.running.text)
        self.assertFalse(has_ended(self.running.pid))

    def test_fifty_clients(self) -> None:
        """They share a connection, and each value is right."""
        self.plant("tcp")
        self.talk_all("tcp", 50, 20)

    def test_fifty_clients_with_a_memory(self) -> None:
        """Nor is one wrong that was shared or remembered."""
        self.plant("tcp", KNOWING)
        self.talk_all("tcp", 50, 20)

    def test_serial_line(self) -> None:
        """The same with checksums, and without numbers."""
        self.plant("rtu", KNOWING)
        self.talk_all("rtu", 20, 20)
