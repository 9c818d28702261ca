"""Times of a trading desk: to the second, days as French readers write them."""

DATE_FORMAT = SHORT_DATE_FORMAT = "d/m/Y"
TIME_FORMAT = "H:i:s"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "d/m/Y H:i:s"
WEEK_DAY_FORMAT = "D j b"
MONTH_DAY_FORMAT = "d/m"
