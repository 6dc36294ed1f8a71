"""The Faust agents: one file for each stage."""
