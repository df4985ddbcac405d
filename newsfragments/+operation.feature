HUP reloads without touching what did not change, TERM lets live sessions end, limits hold connections in number, rate and time, and each session leaves one record that says where it went and why.
