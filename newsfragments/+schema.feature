``portmux schema`` prints the JSON Schema of portmux.conf, with which editors complete options, matchers and actions, show their help, and mark mistakes.
