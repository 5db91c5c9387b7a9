"""Coverage-guided fuzzing: `make fuzz`. What the targets promise, `tests/quality/test_fuzz.py`
also tries on inputs of its own."""
