"""The tables of a session's facts, their version, and how they change; it does not know what is asked of them."""

FORMAT_VERSION = 5
"""The version that this program reads and writes, from the first day; older ones are upgraded, newer refused."""

CREATE_TABLES = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE figure (              -- the losses while training, a row per report
    epoch INTEGER NOT NULL,
    step INTEGER NOT NULL,         -- the last batch of the report
    reconstruction REAL NOT NULL,
    divergence REAL NOT NULL,
    classification REAL NOT NULL,
    seconds REAL NOT NULL,         -- training time since the report before
    PRIMARY KEY (epoch, step)
);
CREATE TABLE epoch (               -- the finished epochs
    epoch INTEGER PRIMARY KEY,
    reconstruction REAL NOT NULL,
    divergence REAL NOT NULL,
    classification REAL NOT NULL,
    test_accuracy REAL,            -- NULL where there is no truth
    pixel_accuracy REAL NOT NULL,
    covered REAL NOT NULL,
    answers INTEGER NOT NULL,
    seconds REAL NOT NULL,
    reading_accuracy REAL,         -- NULL until all reconstructions are read
    changed REAL,                  -- NULL where the training images were not classified
    expected REAL                  -- likewise
);
CREATE TABLE reading (             -- what was read in the reconstructions of an epoch
    epoch INTEGER NOT NULL,
    place INTEGER NOT NULL,        -- from 0
    class INTEGER,                 -- NULL for an unreadable one
    PRIMARY KEY (epoch, place)
);
CREATE TABLE round (
    round INTEGER PRIMARY KEY,
    clusters INTEGER NOT NULL,
    inertias TEXT NOT NULL,        -- what the elbow saw, as JSON
    begun REAL NOT NULL,           -- seconds since 1970
    ended REAL                     -- NULL while it is asked
);
CREATE TABLE saying (              -- what a person said of clusters, in order; nothing is ever taken out
    id INTEGER PRIMARY KEY,
    round INTEGER NOT NULL REFERENCES round,
    path TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('label', 'unreadable', 'split')),
    label INTEGER,
    confidence REAL,
    parts INTEGER,
    state TEXT NOT NULL DEFAULT 'stands' CHECK (state IN ('stands', 'undone', 'dropped')),
    said REAL NOT NULL             -- seconds since 1970
);
CREATE INDEX saying_round ON saying (round, state);
CREATE TABLE naming (              -- what a person did to the classes, likewise
    id INTEGER PRIMARY KEY,        -- in one sequence with those of the sayings
    round INTEGER NOT NULL REFERENCES round,
    kind TEXT NOT NULL CHECK (kind IN ('added', 'renamed', 'merged')),
    class INTEGER NOT NULL,
    name TEXT,                     -- of what was added or renamed
    target INTEGER,                -- what a merged class counts as
    state TEXT NOT NULL DEFAULT 'stands' CHECK (state IN ('stands', 'undone', 'dropped')),
    said REAL NOT NULL             -- seconds since 1970
);
CREATE TABLE file (                -- the other files of the session, as they were written
    name TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    digest TEXT NOT NULL           -- SHA-256
)
"""

MIGRATIONS = {
    1: """
ALTER TABLE epoch ADD COLUMN reading_accuracy REAL;
CREATE TABLE reading (
    epoch INTEGER NOT NULL,
    place INTEGER NOT NULL,
    class INTEGER,
    PRIMARY KEY (epoch, place)
)
""",
    2: """
CREATE TABLE file (
    name TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    digest TEXT NOT NULL
)
""",
    3: """
ALTER TABLE epoch ADD COLUMN changed REAL;
ALTER TABLE epoch ADD COLUMN expected REAL
""",
    4: """
CREATE TABLE naming (
    id INTEGER PRIMARY KEY,
    round INTEGER NOT NULL REFERENCES round,
    kind TEXT NOT NULL CHECK (kind IN ('added', 'renamed', 'merged')),
    class INTEGER NOT NULL,
    name TEXT,
    target INTEGER,
    state TEXT NOT NULL DEFAULT 'stands' CHECK (state IN ('stands', 'undone', 'dropped')),
    said REAL NOT NULL
)
""",
}
"""What leads from each older version to the next."""

CHANGE_STATEMENTS = {
    "meta": "INSERT OR REPLACE INTO meta VALUES (?, ?)",
    "figure": "INSERT OR REPLACE INTO figure VALUES (?, ?, ?, ?, ?, ?)",
    "figures forgotten": "DELETE FROM figure WHERE (epoch, step) > (?, ?)",
    "epoch": "INSERT OR REPLACE INTO epoch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "reading": "INSERT INTO reading VALUES (?, ?, ?)",
    "reading forgotten": "DELETE FROM reading WHERE epoch = ? AND place >= ?",
    "reading judged": "UPDATE epoch SET reading_accuracy = ? WHERE epoch = ?",
    "round": "INSERT INTO round VALUES (?, ?, ?, ?, ?)",
    "round ended": "UPDATE round SET ended = ? WHERE round = ?",
    "saying": "INSERT INTO saying VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "saying marked": "UPDATE saying SET state = ? WHERE id = ?",
    "undone dropped": "UPDATE saying SET state = 'dropped' WHERE round = ? AND state = 'undone'",
    "naming": "INSERT INTO naming VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "naming marked": "UPDATE naming SET state = ? WHERE id = ?",
    "undone namings dropped": "UPDATE naming SET state = 'dropped' WHERE round = ? AND state = 'undone'",
    "file": "INSERT OR REPLACE INTO file VALUES (?, ?, ?)",
    "file gone": "DELETE FROM file WHERE name = ?",
}
"""All that ever changes the tables, by name: the ledger keeps the names and the values."""
TABLE_NAMES = ("meta", "figure", "epoch", "reading", "round", "saying", "naming", "file")
"""The tables; each has a change of its own name that adds a row."""
