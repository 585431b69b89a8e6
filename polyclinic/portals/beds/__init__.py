"""The bed board, the pages of a stay, and the wards."""
