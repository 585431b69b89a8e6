"""Telling people: notices in the app and mails, written with the change they tell of and sent after it."""
