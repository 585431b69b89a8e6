"""Who did what: written by the ledger, never by hand, and checkable afterwards."""
