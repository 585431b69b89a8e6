"""A patient's rights over their record: access and correction requests, retention, erasure, research exports."""
