"""The backtest: the live code over a history, as of each day, beside the rules it must beat."""
