"""One port, every service: sniff each connection's first bytes and route it."""

__version__ = "0.1.0"
