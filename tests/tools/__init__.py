"""Tools that derive data from outside sources; run by hand, not by the tests."""
