"""What is kept: one directory per session.

home         where sessions live, and their names
lock         one writer at a time, and who it is
notes        what one process leaves for another: that it is wanted, why it ended
places       which file holds what
entries      what may stand in a session's directory: plain files
files        writing so that a crash leaves the old file or the new one
facts        configuration, classes, rounds and figures
spoken       what a person said and did, in one order
database     the SQLite file that they stand in, in which nothing is trusted
schema       its tables, their version, and all that ever changes them
material     what was told of the images
sayings      an answer as a row of them
namings      what was done to the classes as a row of them
sound        what every row of them fulfils
ledger       every change once more, a line each with a checksum
audit        either of the two is made anew from the other
upgrades     sessions of older formats
vault        all other files: known by their digests, kept twice
stamps       what tells a file from any other
tensors      networks and optimiser: safetensors
clusterings  the clusterings of the rounds and their splits
arrays       npz files, read with suspicion
findings     what was found damaged, and what is done about it
sets         decoded images that sessions share
log          tracebacks and events, for the person who reports a bug
"""
