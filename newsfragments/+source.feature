`forward.source` names addresses of this machine that connections to backends come from, by turns: more of them than one address has ports for.
