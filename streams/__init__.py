"""The edges: everything that moves bytes or knows the time."""
