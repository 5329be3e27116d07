"""Storage of sessions, one directory each.

locations        where sessions are stored, and their names
file_names       the files in a session directory
lock             one writing process at a time
control_files    requests and failures that processes exchange
untrusted        refusal and quarantine of links, pipes and damaged files
atomic_files     writing that leaves the old or the new file after a crash
repository       configuration, class list, rounds and metrics
answer_log       answers and class edits, with undo and redo
answer_rows      answers and class edits as table rows
data_record      the data options of a session
database         the SQLite file
schema           its tables, format version and statements
row_checks       conditions that every row fulfils
journal          a checksummed log of all changes of the database
recovery         repair of database and journal from each other
artifact_store   all other files, verified by fingerprint and stored twice
fingerprints     name, size and SHA-256 of a file
round_snapshots  the arrays of rounds, splits and epochs
npz              arrays as npz files
tensors          networks and optimiser state as safetensors files
findings         problems found in a session directory, with their remedies
dataset_cache    imported images that sessions share
log              the log file of a session
"""
