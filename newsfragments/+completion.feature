``portmux completion bash`` and ``portmux completion zsh`` print scripts that complete command lines.
