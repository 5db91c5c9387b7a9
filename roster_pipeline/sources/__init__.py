"""Where rosters come from: a district's file, its vendor's accents, its newest drop, landing it."""
