"""What stands in for a sign-in: keys that sign access tokens, refresh tokens, and API keys of people and partners."""
