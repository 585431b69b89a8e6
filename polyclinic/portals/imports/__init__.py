"""The pages on which lists are brought in."""
