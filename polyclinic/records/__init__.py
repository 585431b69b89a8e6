"""What is found out about a patient during a visit: vital signs and their score, allergies, conditions and notes."""
