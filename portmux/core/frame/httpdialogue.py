"""What can be said of HTTP requests and their answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import attrs

from portmux.core.frame.framer import Frame, Opaque, Trouble

_SAFE: Final = (b"GET ", b"HEAD ", b"OPTIONS ", b"TRACE ")
"""RFC 9110, section 9.2.1."""

_STATUS: Final = {
    Trouble.UNREACHABLE: HTTPStatus.BAD_GATEWAY,
    Trouble.SILENT: HTTPStatus.GATEWAY_TIMEOUT,
    Trouble.BROKEN: HTTPStatus.BAD_GATEWAY,
}
"""RFC 9110, sections 15.6.3 and 15.6.5."""


@attrs.frozen
class HttpDialogue(Opaque):
    """Without numbers, but it is known what is safe, and how to say what failed."""

    def repeatable(self, request: Frame) -> bool:
        return request.data.startswith(_SAFE)

    def failure(self, request: Frame, trouble: Trouble) -> Frame | None:
        status = _STATUS[trouble]
        line = f"{status.value} {status.phrase}"
        body = "" if request.data.startswith(b"HEAD ") else f"{line}\n"
        fields = [
            f"HTTP/1.1 {line}",
            "Content-Type: text/plain; charset=utf-8",
            f"Content-Length: {len(line) + 1}",
            *(["Connection: close"] if request.closes else []),
        ]
        head = "\r\n".join([*fields, "", ""])
        return Frame((head + body).encode("ascii"), closes=request.closes)


HTTP_DIALOGUE = HttpDialogue()
