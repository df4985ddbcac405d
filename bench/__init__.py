"""Measure portmux beside HAProxy, nginx and sslh on one machine, in one run."""
