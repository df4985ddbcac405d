"""Plain forwarding on Linux without Twisted transports."""
