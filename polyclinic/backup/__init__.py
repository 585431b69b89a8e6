"""Copies of everything an installation cannot do without: made while people work, sealed, checked, brought back."""
