"""The science: pure steps from reports to alerts. No I/O, clock, environment or logging."""
