"""What is done with a decided connection: one verb a file."""
