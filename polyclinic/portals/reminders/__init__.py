"""Answering a reminder without signing in, choosing one's reminders, and a calendar of one's own."""
