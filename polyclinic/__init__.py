"""Polyclinic: a clinic, a hospital or a network of them as one live system."""

__version__ = "0.1.0"
