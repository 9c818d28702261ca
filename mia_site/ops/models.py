"""Work rows of operations: they expire, and nothing is proved by them. Written by alerts.py and timings.py."""
