"""Pure parsers of MIA files: bytes in, frozen records and row errors out. `parse.parse` is the door."""
