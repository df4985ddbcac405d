"""From octets to records: one protocol a file, at any cut of the input."""
