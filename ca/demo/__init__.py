"""What exists only in a demo state: officers played by programs. Never imported by what serves a bank."""
