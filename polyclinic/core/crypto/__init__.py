"""Sealing: what health data looks like at rest.

`kms` holds the master key, `vault` the wrapped data keys, `ring` the unwrapped ones in memory, `sealing` turns text
into sealed text and back, `fields` does so for a model's columns, `blind` makes equality searchable, `rotation` renews
keys. Why it is so: docs/adr.
"""
