"""The pages on which lists are brought in and taken out."""
