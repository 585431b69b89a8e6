"""Roles, relations and the one table of rights."""
