"""The ward's work: rounds and observations, medicines given, handovers, and the summary a patient leaves with."""
