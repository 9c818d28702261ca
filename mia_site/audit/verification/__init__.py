"""Verifying the record: what is stored against what was hashed, and what was hashed against what was signed.

A stage reads one part in order and can be left and taken up again at a position; `steps.py` runs them.
"""
