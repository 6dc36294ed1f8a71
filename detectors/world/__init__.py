"""What is watched, as data and look-ups."""
