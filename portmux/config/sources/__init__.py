"""One syntax a file, each read into a tree that remembers where it came from."""
