"""An expert for lines, in the test's hand."""

from __future__ import annotations

from collections.abc import Hashable

from portmux.core.address import Address
from portmux.core.frame.framer import Frame, Opaque
from portmux.core.frame.line import Line
from portmux.core.frame.reading import Delimited


class Reads(Opaque):
    """Lines that begin with C{r} only read."""

    def repeatable(self, request: Frame) -> bool:
        return request.data.startswith(b"r")


class Spoken:
    """Lines, of which it is known that some only read."""

    dialogue = Reads()

    def requests(self) -> Delimited:
        return Line().requests()

    def answers(self) -> Delimited:
        return Line().answers()


class Known:
    """
    The second letter is the unit; what begins with C{r} may be shared; what
    begins with C{k} is known.

    @ivar heard: what it was told, in order.
    """

    def __init__(self, targets: int = 1) -> None:
        self.targets = targets
        self.heard: list[str] = []

    def reply(
        self, request: Frame, client: Address, now: float, fresh: bool
    ) -> Frame | None:
        return Frame(b"known\n") if request.data.startswith(b"k") else None

    def unit(self, request: Frame) -> str | None:
        return request.data[1:2].decode()

    def target(self, request: Frame) -> int:
        return int(request.data[1:2]) % self.targets

    def sharing(self, request: Frame) -> Hashable | None:
        return request.data if request.data.startswith(b"r") else None

    def sent(self, request: Frame, now: float) -> None:
        self.heard.append(f"sent {request.data.strip().decode()}")

    def answered(self, request: Frame, answer: Frame, now: float) -> None:
        self.heard.append(f"answered {answer.data.strip().decode()}")

    def mute(self, answer: Frame) -> bool:
        return answer.data == b"mute\n"

    def lost(self, request: Frame, now: float) -> None:
        self.heard.append(f"lost {request.data.strip().decode()}")
