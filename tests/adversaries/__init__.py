"""Portmux and those who mean harm, over loopback; counts decide, not times."""
