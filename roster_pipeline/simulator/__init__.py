"""A make-believe district and the servers around it, for the demo, tests and benchmarks.

`district.District` writes OneRoster packages of any day; `accidents` spoils them; `formats` writes
them in forms that are not OneRoster 1.1 or 1.2.
"""
