"""Tell twistd about portmux; import nothing else, read nothing."""

from twisted.application.service import ServiceMaker

portmux = ServiceMaker(
    "portmux",
    "portmux.tap",
    "Share one port between many services.",
    "portmux",
)
