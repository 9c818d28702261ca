"""Memory of this process and CPU use of the machine, cheap enough to ask on every operation."""

import os
import threading
import time

import psutil

INTERVAL = 0.1
"""Seconds that a reading is good for: CPU use over less than that is noise (psutil's own advice)."""

MEGABYTE = 1024 * 1024


class UsageSampler:
    """Reads at most every `INTERVAL`; between readings all threads share the last one."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Starts over; also in a forked child, where nobody may be left to release the lock."""
        self._reading = threading.Lock()
        self._read_at = time.monotonic()
        self._busy, self._total = _cpu_seconds()
        self._last = (_resident(), 0.0)

    def read(self) -> tuple[float, float]:
        """(resident memory of the process in MB, CPU use of the machine in percent since the last time)."""
        if time.monotonic() - self._read_at >= INTERVAL and self._reading.acquire(blocking=False):
            try:
                self._last = (_resident(), self._cpu_percent())
                self._read_at = time.monotonic()
            finally:
                self._reading.release()
        return self._last

    def _cpu_percent(self) -> float:
        busy, total = _cpu_seconds()
        spent = total - self._total
        percent = 100 * (busy - self._busy) / spent if spent > 0 else 0.0
        self._busy, self._total = busy, total
        return round(min(100.0, max(0.0, percent)), 1)


def _resident() -> float:
    return float(psutil.Process().memory_info().rss) / MEGABYTE


def _cpu_seconds() -> tuple[float, float]:
    """Busy and total seconds of all processors; guests count as `user` already, waiting for disks is idle."""
    times = psutil.cpu_times()._asdict()
    total = sum(times.values()) - times.get("guest", 0.0) - times.get("guest_nice", 0.0)
    return total - times["idle"] - times.get("iowait", 0.0), total


_sampler = UsageSampler()
os.register_at_fork(after_in_child=_sampler.renew)


def usage() -> tuple[float, float]:
    """(resident memory of this process in MB, CPU use of the machine in percent)."""
    return _sampler.read()
