"""What a house did, in figures: kept day by day, merged over any range. Says nothing about any patient."""
