"""The typed model of portmux.conf: decode, merge, diff, write; all faults at once."""
