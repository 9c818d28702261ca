"""How large a file, a row, a text and a number may be. Whatever is beyond is refused, never cut silently."""

from decimal import Decimal

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_ROWS = 1_000_000
MAX_LINE_CHARS = 1_000_000
MAX_CONFIG_BYTES = 256 * 1024
MAX_CONFIG_LEAVES = 2_000
MAX_NAME = 200
MAX_REASON = 2_000
MAX_DEPTH = 16
MAX_CONTEXT_NAMES = 200
MAX_CONTEXT_BYTES = 16 * 1024
MAX_CLUSTER_FEATURES = 1_000
MAX_CLUSTER_CHARS = 200_000
MAX_EXACT_INTEGER = 2**53
"""The largest integer that every JSON reader keeps exact."""
MAX_MAGNITUDE = 30
MIN_MAGNITUDE = -324
"""Numbers are read up to 1e30, and down to the smallest float: writing out a hostile exponent would cost memory."""
MAX_DRAWDOWN = Decimal(1000)
"""As in `stop_trading`; above 1 where equity fell below zero."""
MAX_MONEY = Decimal(10) ** 11
MONEY_STEP = Decimal("0.0001")
"""Money has at most 15 digits, 4 of them decimals."""
