``portmux portsplit FILE`` runs a file of portsplit as it is; ``portmux convert --from portsplit FILE`` prints it as portmux.conf.
