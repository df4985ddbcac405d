"""Tests for L{portmux.core.events}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from portmux.core.address import Host
from portmux.core.events import Event, Hub
from portmux.core.pool import Pool


class HubTests(SynchronousTestCase):
    def test_watch(self) -> None:
        """Everybody is told, from when they came to when they left."""
        hub, one, two = Hub(), list[Event](), list[Event]()
        self.assertFalse(hub)
        leave = hub.watch(one.append)
        hub.publish({"event": "a"})
        hub.watch(two.append)
        hub.publish({"event": "b"})
        leave()
        leave()
        hub.publish({"event": "c"})
        self.assertEqual([each["event"] for each in one], ["a", "b"])
        self.assertEqual([each["event"] for each in two], ["b", "c"])
        self.assertTrue(hub)

    def test_backends(self) -> None:
        """What a pool tells of its backends; made only if somebody watches."""
        hub, told = Hub(), list[Event]()
        pool = Pool.of([Host("a", 1)], name="p")
        pool.observers.append(hub.changed)
        (backend,) = pool.backends
        pool.disable(backend, 1.0)
        hub.watch(told.append)
        pool.enable(backend, 2.0)
        pool.remove(backend, 3.0)
        self.assertEqual(
            [(each["before"], each["after"]) for each in told],
            [("disabled", "up"), ("up", None)],
        )
        self.assertEqual((told[0]["pool"], told[0]["backend"]), ("p", "a:1"))

    def test_moved(self) -> None:
        hub, told = Hub(), list[Event]()
        hub.watch(told.append)
        hub.moved(["a", "b"], ["b", "c"])
        found = [(each["event"], each["listener"]) for each in told]
        self.assertEqual(found, [("closed", "a"), ("opened", "c")])

    def test_leaving_while_told(self) -> None:
        hub, told = Hub(), list[Event]()
        leave = hub.watch(lambda event: leave())
        hub.watch(told.append)
        hub.publish({"event": "a"})
        hub.publish({"event": "b"})
        self.assertEqual(len(told), 2)
