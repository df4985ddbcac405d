"""
Actions: what is done with a connection, one verb a file, found by
L{portmux.core.registry.Registry.load}.
"""
