"""The parts of L{portmux.core.multiplex}: who waits, what is connected, what is due."""
