"""Front ends of older programs: a command line in, a configuration out."""
