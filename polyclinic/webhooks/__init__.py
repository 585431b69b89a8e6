"""Telling other systems: a partner's address hears of what happens at a facility, signed and without health data."""
