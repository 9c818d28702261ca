"""The demo: one account with a synthetic past week and a synthetic bot that talks to the desk while it runs.

Everything of it says that it is made up: history is recorded as imported, names begin with "demo", events are called
synthetic. It is only put into a desk that has no account yet.
"""

from mia_site.audit.actors import Actor

ACCOUNT = "ES-DEMO"
CLIENT = "demo-bot"
SOURCE = "synthetic demo"
ACTOR = Actor("system", "demo")
