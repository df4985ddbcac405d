"""
Protocols of requests and answers, one framer a file, found by L{Registry.load}.

To add one, write C{portmux/core/frame/NAME.py} and its test
C{tests/core/frame/test_NAME.py}; no other file changes.
"""
