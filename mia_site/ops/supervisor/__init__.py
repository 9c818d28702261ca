"""What `manage.py up` runs: one process that starts the others, restarts the dead and leaves none behind.

`plan` says which processes there are, `supervisor` runs them, `child` is one of them, `watch` tells whether the desk
answers and writes the alerts. Nothing in here needs Django except `plan` and `watch`.
"""
