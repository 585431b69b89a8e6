"""The audit as people read it: an auditor's search, a patient's "who opened my record". Writes nothing of its own."""
