`portmux plexy` takes plexy's command line and speaks its protocols; `portmux convert --from plexy` prints the same as a portmux.conf.
