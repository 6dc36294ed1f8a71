"""Bundled recorded input: facts of real months, told as the reports a monitor would have read."""
