``portmux run --listen :8443 ssh=127.0.0.1:22 tls=127.0.0.1:8444`` needs no configuration file; ``twistd portmux`` takes the same words.
