``log.output`` sends messages to syslog or into a file, ``log.levels`` sets levels for parts of the program, and ``log.rotate`` turns log files over by size.
