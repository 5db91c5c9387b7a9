"""A part of a roster: what of it is taken, with all that this needs, and nothing dangling."""
