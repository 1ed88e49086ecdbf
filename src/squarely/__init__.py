"""squarely."""
