"""Tests for the parts of L{portmux.core.multiplex}."""
