"""Sockets and transports without policy: listen, sniff, dial, relay, time out."""
