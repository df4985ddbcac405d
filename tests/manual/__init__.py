"""Tests of what makes the reference and the man pages."""
