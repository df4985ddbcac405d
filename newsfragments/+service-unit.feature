``portmux install -- ARGUMENTS`` has systemd run portmux from a virtual environment or a checkout, after checking the configuration; ``portmux uninstall`` takes that back.
