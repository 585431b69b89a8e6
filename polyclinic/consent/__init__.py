"""Who may see a patient's record beyond the roles: sharing consents, delegation to a carer, break-glass."""
