``hangup: drain`` has SIGHUP end portmux, as it does ``portmux tcp-multiplexer``.
