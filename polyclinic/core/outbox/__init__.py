"""The outbox is the event log: every change is announced from here, and from nowhere else."""
