"""Admin pages of the risk app."""

from risk.admin import accounts, clients, desk, events, facts, limits, people, references

__all__ = ["accounts", "clients", "desk", "events", "facts", "limits", "people", "references"]
