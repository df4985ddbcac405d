"""Tests for L{portmux.core.modbus.expert}."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.frame.framer import Frame
from portmux.core.frame.modbus import Modbus
from portmux.core.frame.modbus_rtu import ModbusRtu
from portmux.core.modbus.access import Functions, Registers, Rule
from portmux.core.modbus.expert import SILENCE, ModbusExpert
from portmux.core.modbus.units import Unit
from portmux.core.mux.breaker import Rule as BreakerRule
from portmux.core.mux.expert import Expert
from portmux.core.network import Network
from portmux.core.option import Seconds
from portmux.core.pool import Pool
from tests.core.modbus.frames import rtu, tcp
from tests.core.modbus.plant import Plant
from tests.core.mux.stage import TARGET, Stage

CLIENT = Host("10.0.0.7", 4000)
ELSEWHERE = (Host("10.0.0.8", 502),)

READ = bytes.fromhex("0300640002")
READ_ONE = bytes.fromhex("0300650001")
ANSWER = bytes.fromhex("030400010002")
WRITE = bytes.fromhex("060064ffff")
READ_ONLY = Rule(functions=(Functions("write"),))


class Case(SynchronousTestCase):
    def reply(
        self,
        expert: ModbusExpert,
        request: Frame,
        client: Host = CLIENT,
        now: float = 0.0,
        fresh: bool = False,
    ) -> Frame | None:
        return expert.reply(request, client, now, fresh)


class AccessTests(Case):
    def test_passed(self) -> None:
        """Without options nothing is held back."""
        for expert in (Modbus().expert(), ModbusRtu().expert()):
            as_expert: Expert = expert
            self.assertIsNone(as_expert.sharing(tcp(7, 1, READ)))
        self.assertIsNone(self.reply(Modbus().expert(), tcp(7, 1, WRITE)))
        self.assertIsNone(self.reply(ModbusRtu().expert(), rtu(1, WRITE)))

    def test_refused(self) -> None:
        """With the exception for what is wrong, and the ids of the request."""
        expert = Modbus(access=(READ_ONLY,)).expert()
        self.assertIsNone(self.reply(expert, tcp(7, 1, READ)))
        self.assertEqual(self.reply(expert, tcp(7, 1, WRITE)), tcp(7, 1, b"\x86\x01"))
        protected = Rule(registers=(Registers("101"),))
        expert = Modbus(access=(protected,)).expert()
        self.assertEqual(self.reply(expert, tcp(7, 1, READ)), tcp(7, 1, b"\x83\x02"))
        expert = ModbusRtu(access=(READ_ONLY,)).expert()
        self.assertEqual(self.reply(expert, rtu(1, WRITE)), rtu(1, b"\x86\x01"))

    def test_ignored(self) -> None:
        """A write is answered as if it had been done; what is none is refused."""
        expert = Modbus(access=(Rule(then="ignore"),)).expert()
        self.assertEqual(self.reply(expert, tcp(7, 1, WRITE)), tcp(7, 1, WRITE))
        self.assertEqual(self.reply(expert, tcp(7, 1, READ)), tcp(7, 1, b"\x83\x01"))

    def test_some_may(self) -> None:
        """By client, and by register; units are as the client names them."""
        rules = (
            Rule(then="allow", clients=(Network("10.0.0.0/24"),), units=(1,)),
            READ_ONLY,
        )
        expert = Modbus(units={1: Unit(17)}, access=rules).expert()
        self.assertIsNone(self.reply(expert, tcp(7, 1, WRITE)))
        self.assertIsNotNone(self.reply(expert, tcp(7, 17, WRITE)))
        other = Host("192.0.2.1", 4000)
        self.assertIsNotNone(self.reply(expert, tcp(7, 1, WRITE), other))

    def test_no_answer_expected(self) -> None:
        """Nothing is told to who broadcasts, nor to who has asked for nothing."""
        expert = ModbusRtu(access=(READ_ONLY,), other_units="refuse").expert()
        self.assertEqual(self.reply(expert, rtu(0, WRITE)), SILENCE)
        expert = Modbus(access=(READ_ONLY,)).expert()
        self.assertEqual(self.reply(expert, tcp(7, 1, b"")), SILENCE)

    def test_other_units(self) -> None:
        expert = Modbus(units={1: Unit(17)}, other_units="refuse").expert()
        self.assertIsNone(self.reply(expert, tcp(7, 1, READ)))
        self.assertEqual(self.reply(expert, tcp(7, 2, READ)), tcp(7, 2, b"\x83\x0a"))


class PlaceTests(Case):
    def test_target(self) -> None:
        framer = Modbus(units={1: Unit(17), 2: Unit(1, to=ELSEWHERE)})
        expert = framer.expert()
        self.assertEqual(framer.targets, (ELSEWHERE,))
        self.assertEqual(
            [expert.target(tcp(7, unit, READ)) for unit in (1, 2, 3)], [0, 1, 0]
        )
        self.assertEqual(expert.unit(tcp(7, 2, READ)), "2")
        self.assertEqual(ModbusRtu().expert().unit(rtu(9, READ)), "9")

    def test_mute(self) -> None:
        """Exceptions of gateways, not of devices."""
        expert = Modbus().expert()
        for pdu, mute in (
            (b"\x83\x0a", True),
            (b"\x83\x0b", True),
            (b"\x83\x02", False),
            (b"\x83", False),
            (b"", False),
            (ANSWER, False),
        ):
            self.assertIs(expert.mute(tcp(7, 1, pdu)), mute, pdu)

    def test_sharing(self) -> None:
        """Reads of one device that are equal, whoever asks by whatever number."""
        units = {1: Unit(17), 2: Unit(17, to=ELSEWHERE)}
        expert = Modbus(units=units, share=True).expert()
        key = expert.sharing(tcp(7, 1, READ))
        self.assertIsNotNone(key)
        self.assertEqual(expert.sharing(tcp(8, 17, READ)), key)
        for other in (tcp(7, 2, READ), tcp(7, 1, READ_ONE), tcp(7, 3, READ)):
            self.assertNotEqual(expert.sharing(other), key)
        self.assertIsNone(expert.sharing(tcp(7, 1, WRITE)))
        self.assertIsNone(ModbusRtu(share=True).expert().sharing(rtu(0, READ)))


class CacheTests(Case):
    def setUp(self) -> None:
        units = {1: Unit(17), 2: Unit(17, to=ELSEWHERE)}
        self.expert = Modbus(units=units, cache=Seconds(2.0)).expert()

    def exchange(self, request: Frame, answer: Frame, now: float = 100.0) -> None:
        self.expert.sent(request, now)
        self.expert.answered(request, answer, now + 0.1)

    def known(self, pdu: bytes, unit: int = 1, now: float = 101.0) -> Frame | None:
        return self.reply(self.expert, tcp(9, unit, pdu), now=now)

    def test_remembered(self) -> None:
        """For who asks the same device, whatever it is called."""
        self.assertIsNone(self.known(READ))
        self.exchange(tcp(7, 1, READ), tcp(7, 1, ANSWER))
        self.assertEqual(self.known(READ), tcp(9, 1, ANSWER))
        self.assertEqual(self.known(READ_ONE, 17), tcp(9, 17, b"\x03\x02\0\2"))
        self.assertIsNone(self.known(READ, 2))
        self.assertIsNone(self.known(READ, now=102.0))

    def test_not_to_who_has_asked_for_a_change(self) -> None:
        """It has to see what that changes, however long it waits for its turn."""
        self.exchange(tcp(7, 1, READ), tcp(7, 1, ANSWER))
        request = tcp(9, 1, READ)
        self.assertIsNone(self.reply(self.expert, request, now=101.0, fresh=True))
        self.assertIsNotNone(self.reply(self.expert, request, now=101.0))

    def test_not_without_leave(self) -> None:
        """What may not be read is not told from memory, either."""
        rules = (Rule(clients=(Network("192.0.2.0/24"),)),)
        expert = Modbus(cache=Seconds(2.0), access=rules).expert()
        request = tcp(7, 1, READ)
        expert.sent(request, 100.0)
        expert.answered(request, tcp(7, 1, ANSWER), 100.1)
        self.assertEqual(self.reply(expert, request, CLIENT, 100.2), tcp(7, 1, ANSWER))
        other = Host("192.0.2.1", 4000)
        refused = self.reply(expert, request, other, 100.2)
        self.assertEqual(refused, tcp(7, 1, b"\x83\x01"))

    def test_written(self) -> None:
        """From when it is sent; what was not written stays."""
        self.exchange(tcp(7, 1, READ), tcp(7, 1, ANSWER))
        self.expert.sent(tcp(8, 17, WRITE), 100.5)
        self.assertIsNone(self.known(READ))
        self.assertIsNotNone(self.known(READ_ONE))

    def test_anything_may_be_written(self) -> None:
        """By functions that nobody knows, or to everybody."""
        for unit, pdu in ((1, b"\x41"), (0, WRITE)):
            self.exchange(tcp(7, 1, READ), tcp(7, 1, ANSWER))
            self.expert.sent(tcp(8, unit, pdu), 100.5)
            self.assertIsNone(self.known(READ_ONE))

    def test_read_while_written(self) -> None:
        """Nobody knows which value such a read has brought."""
        for unit in (1, 0):
            for end in (self.expert.answered, self.lose):
                write, read = tcp(8, unit, WRITE), tcp(7, 1, READ)
                self.expert.sent(write, 100.0)
                self.expert.sent(read, 100.1)
                end(write, write, 100.2)
                self.expert.answered(read, tcp(7, 1, ANSWER), 100.3)
                self.assertIsNone(self.known(READ), (unit, end))
                self.expert.sent(read, 100.1)
                self.expert.sent(write, 100.2)
                self.expert.answered(read, tcp(7, 1, ANSWER), 100.3)
                self.assertIsNone(self.known(READ), (unit, end))
                end(write, write, 100.4)

    def lose(self, request: Frame, answer: Frame, now: float) -> None:
        self.expert.lost(request, now)

    def test_read_before_the_answer_to_a_write(self) -> None:
        """It may have been done only then."""
        write = tcp(8, 1, WRITE)
        self.expert.sent(write, 100.0)
        self.exchange(tcp(7, 1, READ), tcp(7, 1, ANSWER))
        self.expert.answered(write, write, 100.2)
        self.assertIsNone(self.known(READ))

    def test_lost_reads(self) -> None:
        """They change nothing, and leave nothing behind."""
        self.exchange(tcp(7, 1, READ), tcp(7, 1, ANSWER))
        request = tcp(7, 1, READ_ONE)
        self.expert.sent(request, 100.1)
        self.expert.lost(request, 100.2)
        self.assertIsNotNone(self.known(READ))
        self.assertFalse(self.expert._asked)

    def test_not_asked_to(self) -> None:
        """Without the option nothing is remembered."""
        expert = Modbus().expert()
        request = tcp(7, 1, READ)
        expert.sent(request, 100.0)
        expert.answered(request, tcp(7, 1, ANSWER), 100.1)
        expert.lost(tcp(7, 1, WRITE), 100.1)
        self.assertIsNone(self.reply(expert, request, CLIENT, 100.2))
        self.assertFalse(expert._asked)


class TogetherTests(SynchronousTestCase):
    """The expert in a multiplexer."""

    def stage(self, framer: Modbus, **settings: Any) -> Stage:
        pools = [Pool.of([TARGET]), *map(Pool.of, framer.targets)]
        return Stage(framer, pools, framer.expert(), **settings)

    def test_units_have_their_targets(self) -> None:
        """Each request goes to where its unit is; the answer is as it was asked for."""
        framer = Modbus(units={1: Unit(17), 2: Unit(1, to=ELSEWHERE)})
        stage = self.stage(framer)
        client = stage.client()
        for unit, place, there in ((1, 0, 17), (2, 1, 1)):
            stage.ask(client, tcp(7, unit, READ).data)
            (wire,) = (one for one in stage.live if one.link.target == place)
            sent = Frame(wire.take())
            number = int.from_bytes(sent.data[:2], "big")
            self.assertEqual(sent, tcp(number, there, READ))
            stage.say(wire, tcp(number, there, ANSWER).data)
            self.assertEqual(client.heard, tcp(7, unit, ANSWER).data)
            client.heard = b""
        addresses = {str(wire.link.backend.address) for wire in stage.live}
        self.assertEqual(addresses, {str(TARGET), "10.0.0.8:502"})

    def test_what_follows_may_be_for_any_target(self) -> None:
        """Also for one that was looked at before, and had nothing to do then."""
        framer = ModbusRtu(units={0: Unit(to=ELSEWHERE)})
        pools = [Pool.of([TARGET]), *map(Pool.of, framer.targets)]
        stage = Stage(framer, pools, framer.expert())
        client = stage.client()
        stage.ask(client, rtu(0, WRITE).data + rtu(1, READ).data)
        sent = {wire.link.target: wire.take() for wire in stage.live}
        self.assertEqual(sent, {1: rtu(0, WRITE).data, 0: rtu(1, READ).data})

    def test_what_may_not_go(self) -> None:
        """The target never hears of it; the client goes on."""
        stage = self.stage(Modbus(access=(READ_ONLY,)))
        client = stage.client()
        stage.ask(client, tcp(7, 1, WRITE).data + tcp(8, 1, READ).data)
        self.assertEqual(client.heard, tcp(7, 1, b"\x86\x01").data)
        (wire,) = stage.live
        self.assertEqual(wire.take()[2:], tcp(0, 1, READ).data[2:])

    def test_shared(self) -> None:
        """One read answers all who asked meanwhile, each with its own number."""
        stage = self.stage(Modbus(share=True))
        people = [stage.client() for _ in range(3)]
        for number, person in enumerate(people):
            stage.ask(person, tcp(number, 1, READ).data)
        (wire,) = stage.live
        sent = wire.take()
        self.assertEqual(len(sent), 12)
        stage.say(wire, sent[:2] + tcp(0, 1, ANSWER).data[2:])
        for number, person in enumerate(people):
            self.assertEqual(person.heard, tcp(number, 1, ANSWER).data)
        self.assertEqual(wire.take(), b"")

    def test_not_shared_over_a_write(self) -> None:
        """Who asks after a write gets no answer from before it."""
        stage = self.stage(Modbus(share=True), connections=2)
        reader, writer, later = (stage.client() for _ in range(3))
        stage.ask(reader, tcp(1, 1, READ).data)
        stage.ask(writer, tcp(2, 1, WRITE).data)
        first, second = stage.live
        number = second.take()[:2]
        stage.say(second, number + tcp(0, 1, WRITE).data[2:])
        stage.ask(later, tcp(3, 1, READ).data)
        old, new = first.take()[:2], second.take()[:2]
        stage.say(first, old + tcp(0, 1, ANSWER).data[2:])
        self.assertEqual((reader.heard, later.heard), (tcp(1, 1, ANSWER).data, b""))
        stage.say(second, new + tcp(0, 1, b"\x03\x04\0\7\0\x08").data[2:])
        self.assertEqual(later.heard, tcp(3, 1, b"\x03\x04\0\7\0\x08").data)

    def test_remembered(self) -> None:
        """Until it is old, or somebody writes."""
        stage = self.stage(Modbus(cache=Seconds(2.0)))
        client, other = stage.client(), stage.client()
        stage.ask(client, tcp(1, 1, READ).data)
        (wire,) = stage.live
        stage.say(wire, wire.take()[:2] + tcp(0, 1, ANSWER).data[2:])
        stage.ask(other, tcp(2, 1, READ_ONE).data)
        self.assertEqual(other.heard, tcp(2, 1, b"\x03\x02\0\2").data)
        self.assertEqual(wire.take(), b"")
        stage.ask(other, tcp(3, 1, bytes.fromhex("0600650007")).data)
        written = wire.take()
        stage.ask(client, tcp(4, 1, READ_ONE).data)
        stage.say(wire, written)
        self.assertEqual(len(wire.take()), 12)

    def test_dead_unit(self) -> None:
        """It is told so at once, and the others are asked."""
        stage = self.stage(
            Modbus(), breaker=BreakerRule(2, 30.0), answer=1.0, replies=True
        )
        client = stage.client()
        for number in range(2):
            stage.ask(client, tcp(number, 1, READ).data)
            stage.advance(1.5)
        client.heard = b""
        asked = len(stage.live)
        stage.ask(client, tcp(5, 1, READ).data)
        self.assertEqual(client.heard, tcp(5, 1, b"\x83\x0b").data)
        self.assertEqual(len(stage.live), asked)
        stage.ask(client, tcp(6, 2, READ).data)
        self.assertEqual(len(stage.live[-1].take()), 12)

    def test_units_on_a_serial_line(self) -> None:
        """Renamed there, too, with the checksums that belong to it."""
        framer = ModbusRtu(units={1: Unit(17)})
        stage = Stage(framer, [Pool.of([TARGET])], framer.expert())
        client = stage.client()
        stage.ask(client, rtu(1, READ).data)
        (wire,) = stage.live
        self.assertEqual(wire.take(), rtu(17, READ).data)
        stage.say(wire, rtu(17, ANSWER).data)
        self.assertEqual(client.heard, rtu(1, ANSWER).data)
        stage.ask(client, rtu(0, WRITE).data + rtu(1, READ).data)
        self.assertEqual(wire.take(), rtu(0, WRITE).data + rtu(17, READ).data)


class ConsistencyTests(SynchronousTestCase):
    """Whatever is remembered and shared, nobody reads from before the last write."""

    def run_steps(self, plant: Plant, dice: Random, count: int) -> None:
        steps = (
            (plant.read, 6),
            (plant.write, 2),
            (plant.execute, 6),
            (plant.deliver, 5),
            (plant.wait, 2),
            (plant.cut, 0.1),
        )
        kinds, weights = zip(*steps, strict=True)
        for step in dice.choices(kinds, weights, k=count):
            step(dice.randrange(9), dice.randrange(9), dice.randrange(9))

    @given(st.integers(), st.booleans(), st.booleans(), st.integers(1, 3))
    @settings(max_examples=50, deadline=None)
    def test_any_order(
        self, seed: int, share: bool, cache: bool, connections: int
    ) -> None:
        """Requests and answers overtake each other, connections are lost."""
        seconds = Seconds(1.0) if cache else None
        plant = Plant(Modbus(share=share, cache=seconds), 4, connections)
        self.run_steps(plant, Random(seed), 400)

    @given(
        st.integers(),
        st.booleans(),
        st.booleans(),
        st.fixed_dictionaries(
            {
                "connections": st.integers(1, 2),
                "pipeline": st.integers(1, 3),
                "per_client": st.integers(1, 4),
                "rotate": st.booleans(),
                "replies": st.booleans(),
            }
        ),
    )
    @settings(max_examples=50, deadline=None)
    def test_of_clients_that_do_not_wait(
        self, seed: int, share: bool, cache: bool, more: Any
    ) -> None:
        """A client's writes take effect where they stand among its reads."""
        seconds = Seconds(1.0) if cache else None
        plant = Plant(Modbus(share=share, cache=seconds), 4, **more)
        self.run_steps(plant, Random(seed), 400)

    def test_it_happens(self) -> None:
        """The plant compares, and notices what is wrong."""
        framer = Modbus(share=True, cache=Seconds(1.0))
        plant = Plant(framer, 3, 2)
        for _ in range(2):
            plant.read(0, 0, 3)
            plant.write(1, 0)
            for _ in range(4):
                plant.execute(0)
                plant.deliver(0)
        self.assertEqual(plant.compared, 4)
        plant.read(0, 0, 3)
        plant.write(1, 0)
        for _ in range(2):
            plant.execute(0)
            plant.deliver(0)
        self.patch(ModbusExpert, "_heed", lambda *_: None)
        plant.read(2, 0, 0)
        plant.write(1, 0)
        for _ in range(4):
            plant.execute(0)
            plant.deliver(0)
        error = self.assertRaises(AssertionError, plant.read, 2, 0, 0)
        self.assertIn("was overwritten before", str(error))
