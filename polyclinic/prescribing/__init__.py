"""Prescriptions: prepared, checked, signed, and what becomes of them at the pharmacy."""
