"""Finding and opening a record that is not in one's own list, also in an emergency."""
