"""Booking for a patient, as the front desk and the doctor do it: one time, a series, or one extra patient."""
