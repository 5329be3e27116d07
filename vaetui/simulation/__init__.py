"""Simulated annotators, and whole runs of a session without a screen."""
