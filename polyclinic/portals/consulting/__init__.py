"""The main doctor's pages: who waits, everything about one visit, the prescription, and the signature."""
