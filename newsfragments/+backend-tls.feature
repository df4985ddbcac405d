TLS to backends: `tls` of a pool or of `forward`, with the system's roots or `ca-bundle`, a certificate of ours, and the reason in the log and the record when a backend is not the one that was meant.
