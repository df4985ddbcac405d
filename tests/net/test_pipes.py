"""Tests for L{portmux.net.pipes}: real pipes and terminals, turned by hand."""

from __future__ import annotations

import os
import termios

from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from portmux.net.pipes import AGAIN, CHUNK, PipeReader, PipeWriter, end_of_file
from tests.net.polled import Polled


@implementer(IPushProducer)
class Source:
    """A producer that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")


class Reading:
    """One reader, and what it gave."""

    def __init__(self, reactor: Polled, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.data = b""
        self.ends = 0
        self.reader = PipeReader(reactor, descriptor, self._received, self._ended)

    def _received(self, data: bytes) -> None:
        self.data += data

    def _ended(self) -> None:
        self.ends += 1


def is_open(descriptor: int) -> bool:
    """@return: whether the descriptor is in use."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


class PipeReaderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Polled()
        self.descriptor, self.other = os.pipe()
        self.reading = Reading(self.reactor, self.descriptor)
        self.addCleanup(self.reading.reader.close)

    def write_and_close(self, data: bytes) -> None:
        os.write(self.other, data)
        os.close(self.other)

    def test_is_a_producer(self) -> None:
        """Twisted's transports take it as what they pause and resume."""
        self.assertTrue(verifyObject(IPushProducer, self.reading.reader))

    def test_gives_all_then_the_end(self) -> None:
        """Everything written arrives, then one end, and the descriptor is closed."""
        self.write_and_close(b"all of it")
        self.reactor.until(lambda: self.reading.ends)
        self.assertEqual((self.reading.data, self.reading.ends), (b"all of it", 1))
        self.assertFalse(is_open(self.descriptor))
        self.assertEqual(self.reactor.removeAll(), [])

    def test_paused(self) -> None:
        """Nothing is taken from the pipe while nobody can take it from us."""
        self.reading.reader.pauseProducing()
        self.write_and_close(b"later")
        self.reactor.turn()
        self.assertEqual((self.reading.data, self.reading.ends), (b"", 0))
        self.reading.reader.resumeProducing()
        self.reactor.until(lambda: self.reading.ends)
        self.assertEqual(self.reading.data, b"later")

    def test_hang_up_told_first(self) -> None:
        """A poller that sees the end before the last bytes loses none of them."""
        data = b"x" * (CHUNK // 2)
        self.write_and_close(data)
        self.reading.reader.connectionLost(Failure(CONNECTION_DONE))
        self.assertEqual((self.reading.data, self.reading.ends), (data, 1))
        self.assertFalse(is_open(self.descriptor))

    def test_hang_up_of_another(self) -> None:
        """Of a pipe that had its number until a moment ago: this one goes on."""
        self.reactor.removeReader(self.reading.reader)
        self.reading.reader.connectionLost(Failure(CONNECTION_DONE))
        self.assertEqual(self.reading.ends, 0)
        self.write_and_close(b"still there")
        self.reactor.until(lambda: self.reading.ends)
        self.assertEqual((self.reading.data, self.reading.ends), (b"still there", 1))

    def test_finish(self) -> None:
        """What is there now is given, even if the other end stays open."""
        self.addCleanup(os.close, self.other)
        os.write(self.other, b"now")
        self.reading.reader.finish()
        self.assertEqual((self.reading.data, self.reading.ends), (b"now", 1))

    def test_close(self) -> None:
        """To close gives nothing more, and the end is told once."""
        self.write_and_close(b"unwanted")
        self.reading.reader.stopProducing()
        self.reading.reader.finish()
        self.assertEqual((self.reading.data, self.reading.ends), (b"", 1))
        self.assertFalse(is_open(self.descriptor))

    def test_closed_while_giving(self) -> None:
        """Who takes the first of the last bytes may want no more."""
        taken: list[bytes] = []
        descriptor, other = os.pipe()

        def received(data: bytes) -> None:
            taken.append(data)
            reader.close()

        reader = PipeReader(self.reactor, descriptor, received, lambda: None)
        self.addCleanup(os.close, self.other)
        os.write(other, b"x" * 100)
        os.close(other)
        reader.connectionLost(Failure(CONNECTION_DONE))
        self.assertEqual(taken, [b"x" * 100])
        self.assertFalse(is_open(descriptor))

    def test_terminal(self) -> None:
        """The hang-up of a terminal is an end, and comes after the output."""
        master, slave = os.openpty()
        reading = Reading(self.reactor, master)
        self.addCleanup(os.close, self.other)
        os.write(slave, b"last words\n")
        os.close(slave)
        self.reactor.until(lambda: reading.ends)
        self.assertEqual((reading.data, reading.ends), (b"last words\r\n", 1))


class PipeWriterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Polled()
        self.other, self.descriptor = os.pipe()
        os.set_blocking(self.descriptor, False)
        self.writer = PipeWriter(self.reactor, self.descriptor)
        self.addCleanup(self.writer.close)

    def test_is_a_consumer(self) -> None:
        """A client's transport can be registered as its producer."""
        self.assertTrue(verifyObject(IConsumer, self.writer))

    def test_delivers_all_before_the_end(self) -> None:
        """More than a pipe holds arrives whole; the end comes behind it."""
        data = os.urandom(1 << 20)
        self.writer.write(data)
        self.writer.end()
        self.writer.write(b"too late")
        reading = Reading(self.reactor, self.other)
        self.reactor.until(lambda: reading.ends)
        self.assertEqual(reading.data, data)
        self.assertFalse(is_open(self.descriptor))
        self.assertEqual(self.reactor.removeAll(), [])

    def test_backpressure(self) -> None:
        """A producer is paused above the limit, and resumed once all is written."""
        source = Source()
        self.writer.registerProducer(source, True)
        self.writer.write(b"x" * self.writer.bufferSize)
        self.assertEqual(source.told, [])
        self.writer.write(b"x" * (2 * CHUNK))
        self.assertEqual(source.told, ["pause"])
        reading = Reading(self.reactor, self.other)
        self.addCleanup(reading.reader.close)
        self.reactor.until(lambda: source.told[1:])
        self.assertEqual(source.told, ["pause", "resume"])

    def test_end_lets_a_paused_producer_go(self) -> None:
        """A client that has finished must still be able to go away."""
        source = Source()
        self.addCleanup(os.close, self.other)
        self.writer.registerProducer(source, True)
        self.writer.write(b"x" * (4 * CHUNK))
        self.writer.end()
        self.assertEqual(source.told, ["pause", "resume"])

    def test_reader_gone(self) -> None:
        """Input nobody reads is dropped; its producer goes on, and is not stopped."""
        source = Source()
        self.writer.registerProducer(source, True)
        self.writer.write(b"x" * (4 * CHUNK))
        os.close(self.other)
        self.reactor.until(lambda: not is_open(self.descriptor))
        self.writer.write(b"more")
        self.writer.end()
        self.assertEqual(source.told, ["pause", "resume"])
        self.assertEqual(self.reactor.removeAll(), [])

    def test_hang_up_of_another(self) -> None:
        """As for a reader; what there is to read was there, too."""
        self.writer.write(b"still there")
        self.writer.doRead()
        self.reactor.removeWriter(self.writer)
        self.writer.connectionLost(Failure(CONNECTION_LOST))
        self.writer.end()
        self.reactor.until(lambda: not is_open(self.descriptor))
        self.assertEqual(os.read(self.other, 100), b"still there")


class EndOfFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.master, self.slave = os.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)

    def change(self, **changes: bytes | int) -> None:
        """Change the terminal's end-of-file character or its input flags."""
        settings = termios.tcgetattr(self.slave)
        settings[6][termios.VEOF] = changes.get("eof", settings[6][termios.VEOF])
        settings[0] = changes.get("iflag", settings[0])
        termios.tcsetattr(self.slave, termios.TCSANOW, settings)

    def test_at_the_start_of_a_line(self) -> None:
        """One character says it when no line is unfinished."""
        for last in (b"", b"\n", b"\r", b"\x04"):
            self.assertEqual(end_of_file(self.master, last), b"\x04")

    def test_in_a_line(self) -> None:
        """The first only delivers the unfinished line."""
        self.assertEqual(end_of_file(self.master, b"x"), b"\x04\x04")

    def test_carriage_return_as_itself(self) -> None:
        """Without ICRNL a carriage return ends no line."""
        self.change(iflag=0)
        self.assertEqual(end_of_file(self.master, b"\r"), b"\x04\x04")

    def test_other_character(self) -> None:
        """The settings are those of now, not of a terminal in general."""
        self.change(eof=b"\x1a")
        self.assertEqual(end_of_file(self.master, b"\n"), b"\x1a")

    def test_switched_off(self) -> None:
        """A terminal without the character cannot be told."""
        self.change(eof=b"\0")
        self.assertEqual(end_of_file(self.master, b"x"), b"")

    def test_no_terminal(self) -> None:
        """One that is gone needs no farewell."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        self.assertEqual(end_of_file(writer, b"x"), b"")

    def test_as_the_writer_says_it(self) -> None:
        """A reader of the terminal gets the unfinished line, then an end."""
        reactor = Polled()
        descriptor = os.dup(self.master)
        os.set_blocking(descriptor, False)
        writer = PipeWriter(reactor, descriptor, end_of_file)
        writer.write(b"half a line")
        writer.end()
        while reactor.turn(0.1):
            continue
        self.assertEqual(os.read(self.slave, 100), b"half a line")
        self.assertEqual(os.read(self.slave, 100), b"")
        for _ in range(3):  # programs that read on, one after the other
            reactor.advance(AGAIN)
            while reactor.turn(0.1):
                continue
            self.assertEqual(os.read(self.slave, 100), b"")
        writer.close()
        self.assertFalse(is_open(descriptor))
        self.assertEqual(reactor.getDelayedCalls(), [])
