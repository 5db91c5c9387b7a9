"""Decides whether a candidate roster may be accepted by itself or waits for a person.

`judge.judge(facts, settings)` is a pure function over counts: the store keeps its verdicts, the
assets show them. `settings` has the limits; it imports no frames, so that reading a workspace is
quick.
"""
