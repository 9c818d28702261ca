"""HTTP doors of the decision log: parse, call one service, render."""
