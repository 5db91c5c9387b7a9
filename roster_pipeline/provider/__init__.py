"""A OneRoster REST provider, 1.1 and 1.2, over a roster."""
