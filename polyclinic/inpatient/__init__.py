"""Wards, their beds, and the stays of patients in them."""
