"""What is kept: one directory per session.

home          where sessions live, and their names
lock          one writer at a time
files         writing so that a crash leaves the old file or the new one
facts         configuration, rounds, answers and figures: an SQLite file
schema        its tables and their version
tensors       networks and optimiser: safetensors
clusterings   the clusterings of the rounds and their splits: npz
log           tracebacks and events, for the person who reports a bug
"""
