"""Measurements of the whole product, each beside a bare twin in the same run. See README.md."""
