"""The first check: the checker doctor's and the nurse's queue, and the page on which a visit is written down."""
