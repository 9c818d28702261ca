"""What other limits would have done: recorded equity and decisions replayed, beside what happened.

`feed.py` tells the steps, the worlds of `risk/rules/replay_world.py` hear them, `run.py` compares.
"""
