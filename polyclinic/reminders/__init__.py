"""Reminding patients of their appointments, hearing that they come, and the calendars that follow along."""
