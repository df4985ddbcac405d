"""The composition root: build, reload and log what a configuration describes."""
