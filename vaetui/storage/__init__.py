"""Storage of sessions, one directory each: database, journal, artifacts, lock and recovery; shared datasets."""
