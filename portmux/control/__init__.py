"""Mouths of the control plane, the one table of commands, and what they do."""
