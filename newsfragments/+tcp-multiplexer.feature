``portmux tcp-multiplexer server|list|version`` is tcp-multiplexer's command line; ``portmux convert --from tcp-multiplexer server ...`` prints it as portmux.conf. ``-c none`` stands for no file.
