"""Starts a child so that it cannot outlive the supervisor: run as a script, it becomes the command it is given.

    python -I -S launch.py SUPERVISOR_PID COMMAND ARGUMENT...

The kernel is asked to kill this process when its parent dies (Linux, ``PR_SET_PDEATHSIG``; it survives ``exec``). Done
here rather than between fork and exec of the supervisor, which has threads. SIGKILL is safe for every child: what they
acknowledge is in the database first (docs/invariants.md).
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int | None = None) -> None:
    """Asks the kernel to kill this process when its parent ends; exits at once if `parent` is gone already.

    Does nothing but that last check where the kernel has no such request (macOS).
    """
    if sys.platform == "linux":
        import ctypes

        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def main(argv: list[str]) -> None:
    """Becomes the command; `argv` as the module says."""
    die_with_parent(int(argv[1]))
    try:
        os.execvp(argv[2], argv[2:])  # noqa: S606 - the purpose of this file
    except OSError as error:
        sys.exit(f"cannot run {argv[2]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv)
