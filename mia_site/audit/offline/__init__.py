"""What a stranger needs to check evidence without this software: one Python file, one page. Shipped in every bundle."""
