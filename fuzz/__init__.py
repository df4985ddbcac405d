"""Inputs that nobody thought of: coverage-guided, for everything that reads bytes."""
