"""Decisions without I/O: head, verdict, route, decision, session, pool, record."""
