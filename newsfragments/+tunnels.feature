Tunnels in plexy's syntax, `local=remote,remote[options]`: in the configuration as `tunnels`, and as words on the command lines of `twistd portmux` and `portmux run`.
