``portmux check`` tells of users, groups, programs, tokens, certificates and keys that are
not there; ``portmux run`` and a reload warn of routes that can never win, as ``portmux
check`` does.
