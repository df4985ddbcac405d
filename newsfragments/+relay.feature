Built where there is a compiler: ``portmux._relay``, in C, moves the bytes of plain forwarding in a thread of its own. ``PORTMUX_PURE=1`` leaves it out, and wheels without it are for every system.
