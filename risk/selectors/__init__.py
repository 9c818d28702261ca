"""Reads of the risk app: typed values in, no writes."""
