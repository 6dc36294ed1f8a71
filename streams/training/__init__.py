"""Training of the instability index, on any history that the line can read."""
