"""Measure portmux beside HAProxy and sslh on one machine, in one run."""
