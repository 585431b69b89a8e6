"""The relay: every event of the log, handed on to a message broker in order, and nothing lost while that is away."""
