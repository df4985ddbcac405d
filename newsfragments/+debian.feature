A package for Debian 12: a hardened systemd unit, an example socket unit, log rotation, and tests that use the installed service.
