"""CSV that is not OneRoster, read as if it were: which file, column and value becomes what."""
