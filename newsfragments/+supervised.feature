Under systemd (``Type=notify``) portmux says when it is ready, reloads and stops, answers the watchdog, and shows its sessions in ``systemctl status``.
