"""Times of a trading desk: to the second, on a clock of 24 hours, days in an order that nobody mistakes."""

DATE_FORMAT = SHORT_DATE_FORMAT = "Y-m-d"
TIME_FORMAT = "H:i:s"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "Y-m-d H:i:s"
WEEK_DAY_FORMAT = "D j M"
MONTH_DAY_FORMAT = "m-d"
