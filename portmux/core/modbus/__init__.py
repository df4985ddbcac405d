"""Modbus without its sockets: messages, and what stands between many clients."""
