``portmux check`` warns of routes that can never win, naming the routes above them that take all they match; with ``--probe`` it connects to each backend once and tells which do not answer.
