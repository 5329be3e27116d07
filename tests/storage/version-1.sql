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
    seconds REAL NOT NULL
);
CREATE TABLE round (
    round INTEGER PRIMARY KEY,
    clusters INTEGER NOT NULL,
    inertias TEXT NOT NULL,        -- what the elbow saw, as JSON
    begun REAL NOT NULL,           -- seconds since 1970
    ended REAL                     -- NULL while it is asked
);
CREATE TABLE saying (              -- what a person said, in order; nothing is ever taken out
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
