"""HTTP doors of the risk app: parse, call one service, render."""
