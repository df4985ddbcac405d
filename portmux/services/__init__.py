"""Twisted services: what starts, runs beside the connections, and stops."""
