"""
Matchers: one recogniser a file, found by L{portmux.core.registry.Registry.load}.

To add one, write C{portmux/core/match/NAME.py} and its test
C{tests/core/match/test_NAME.py}; no other file changes.
"""
