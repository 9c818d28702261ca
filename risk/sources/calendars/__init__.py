"""Economic calendars as the world publishes them: one file for each dialect, `dialects.py` is their door."""
