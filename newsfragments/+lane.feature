Forwarded connections are carried by an event loop of portmux's own on Linux: less CPU for short connections, and bulk is spliced in the kernel. `engine: twisted` keeps them on Twisted's transports.
