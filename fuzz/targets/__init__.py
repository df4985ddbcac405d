"""
One target a file: C{SEEDS}, where to begin, and C{check}, which raises on a fault.

A target asks for properties that hold for any input. The control numbers of an
input stand at its end, so that a seed is what it looks like.
"""
