"""The formulary, and what is known of its substances: interactions, duplicates, allergy classes, doses."""
