"""The tables of a session's database, their format version, and every statement that changes them."""

FORMAT_VERSION = 15
"""The format that this version of vaetui reads and writes; a session of any other format is refused.

It differs from earlier formats in at least two bits, so that a flipped bit is not taken for one of them."""

CREATE_TABLES = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE training_loss (       -- mean losses while training, a row per BatchesTrained event
    epoch INTEGER NOT NULL,
    step INTEGER NOT NULL,         -- the last batch of the event
    reconstruction REAL NOT NULL,
    kl_divergence REAL NOT NULL,
    classification REAL NOT NULL,
    contrastive REAL NOT NULL,
    consistency REAL NOT NULL,
    seconds REAL NOT NULL,         -- training time since the previous row
    PRIMARY KEY (epoch, step)
);
CREATE TABLE epoch (               -- finished epochs
    epoch INTEGER PRIMARY KEY,
    reconstruction REAL NOT NULL,
    kl_divergence REAL NOT NULL,
    classification REAL NOT NULL,
    contrastive REAL NOT NULL,
    consistency REAL NOT NULL,
    test_accuracy REAL,            -- NULL without true labels
    pixel_accuracy REAL,           -- NULL if the networks decode no images
    label_coverage REAL NOT NULL,
    answer_count INTEGER NOT NULL,
    seconds REAL NOT NULL,
    reading_accuracy REAL,         -- NULL until the reading test is complete
    prediction_churn REAL,         -- NULL if the training images were not classified
    mean_confidence REAL,          -- likewise
    expected_accuracy REAL         -- likewise
);
CREATE TABLE reading_answer (      -- answers of the reading test of an epoch
    epoch INTEGER NOT NULL,
    position INTEGER NOT NULL,     -- from 0
    class_id INTEGER,              -- NULL for an unreadable reconstruction
    PRIMARY KEY (epoch, position)
);
CREATE TABLE labelling_round (
    round_number INTEGER PRIMARY KEY,
    cluster_count INTEGER NOT NULL,
    inertias TEXT NOT NULL,        -- k and inertia pairs of the elbow search, as JSON
    started_at REAL NOT NULL,      -- seconds since 1970
    ended_at REAL                  -- NULL while the round is open
);
CREATE TABLE answer (              -- answers and splits in the order of entry; rows are never deleted
    id INTEGER PRIMARY KEY,
    step_id INTEGER NOT NULL,      -- the id of the first action of its step, which undo removes as a whole
    round_number INTEGER NOT NULL REFERENCES labelling_round,
    made_in_round INTEGER NOT NULL,  -- later than round_number for a correction; one more than all rounds at the end
    cluster_path TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('class', 'nearest', 'unreadable', 'split', 'cleared')),
    class_id INTEGER,
    confidence REAL,
    part_count INTEGER,
    image_index INTEGER,           -- in the data set: the image of kind 'nearest', fixed when the answer was made
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'undone', 'discarded')),
    created_at REAL NOT NULL       -- seconds since 1970
);
CREATE INDEX answer_by_round ON answer (round_number, state);
CREATE TABLE class_edit (          -- changes of the class list in the order of entry
    id INTEGER PRIMARY KEY,        -- shares one sequence with answer.id
    step_id INTEGER NOT NULL,      -- as in table answer
    round_number INTEGER NOT NULL REFERENCES labelling_round,
    kind TEXT NOT NULL CHECK (kind IN ('add', 'rename', 'merge')),
    class_id INTEGER NOT NULL,
    class_name TEXT,               -- of an added or renamed class
    target_class_id INTEGER,       -- the class that a merged class counts as
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'undone', 'discarded')),
    created_at REAL NOT NULL       -- seconds since 1970
);
CREATE TABLE image_answer (        -- answers about single images in the order of entry; rows are never deleted
    id INTEGER PRIMARY KEY,        -- shares one sequence with answer.id
    step_id INTEGER NOT NULL,      -- as in table answer
    made_in_round INTEGER NOT NULL,  -- as in table answer
    image_index INTEGER NOT NULL,  -- in the data set, from 0: the first one of its copies
    kind TEXT NOT NULL CHECK (kind IN ('class', 'unreadable', 'cleared')),
    class_id INTEGER,
    shown_class_id INTEGER,        -- the label that was shown with the image; NULL for a blind answer
    origin TEXT NOT NULL CHECK (origin IN ('review', 'pair', 'audit')),
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'undone', 'discarded')),
    created_at REAL NOT NULL       -- seconds since 1970
);
CREATE TABLE class_border (        -- borders of classes in the order of entry; the file border-<id> has the images
    id INTEGER PRIMARY KEY,        -- shares one sequence with answer.id
    step_id INTEGER NOT NULL,      -- as in table answer
    made_in_round INTEGER NOT NULL,  -- as in table answer
    class_id INTEGER NOT NULL,
    image_count INTEGER NOT NULL,  -- images beyond the border
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'undone', 'discarded')),
    created_at REAL NOT NULL       -- seconds since 1970
);
CREATE TABLE audit (               -- audits of the labels; the file audit-<id> has the images and their evidence
    id INTEGER PRIMARY KEY,        -- 1, 2, ... without gaps
    plan TEXT NOT NULL CHECK (plan IN ('quick', 'full')),
    version TEXT NOT NULL,         -- of the labelling
    epoch INTEGER NOT NULL,        -- of the networks
    round_number INTEGER NOT NULL, -- the last answered round
    image_count INTEGER NOT NULL,  -- images to check
    class_count INTEGER NOT NULL,  -- classes at that time, merged ones included
    state TEXT NOT NULL CHECK (state IN ('open', 'finished', 'abandoned')),
    started_at REAL NOT NULL,      -- seconds since 1970
    ended_at REAL,                 -- NULL while the audit is open
    result TEXT,                   -- as JSON; NULL unless finished
    calibration TEXT               -- coefficients as JSON; NULL unless finished, or if there were too few checks
);
CREATE TABLE audit_check (         -- checks in the order of entry; rows are never deleted
    id INTEGER PRIMARY KEY,
    audit_id INTEGER NOT NULL REFERENCES audit,
    step_id INTEGER NOT NULL,      -- the id of the first check of its key, which undo takes back as a whole
    position INTEGER NOT NULL,     -- of the image in the audit, from 0
    kind TEXT NOT NULL CHECK (kind IN ('class', 'unreadable', 'cleared')),
    class_id INTEGER,
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'undone', 'discarded')),
    created_at REAL NOT NULL       -- seconds since 1970
);
CREATE TABLE artifact (            -- the other files of the session, as they were written
    name TEXT PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    sha256_hex TEXT NOT NULL
)
"""

CHANGE_STATEMENTS = {
    "meta": "INSERT OR REPLACE INTO meta VALUES (?, ?)",
    "training_loss": "INSERT OR REPLACE INTO training_loss VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "delete_losses_after": "DELETE FROM training_loss WHERE (epoch, step) > (?, ?)",
    "epoch": "INSERT OR REPLACE INTO epoch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "reading_answer": "INSERT INTO reading_answer VALUES (?, ?, ?)",
    "delete_reading_from": "DELETE FROM reading_answer WHERE epoch = ? AND position >= ?",
    "set_reading_accuracy": "UPDATE epoch SET reading_accuracy = ? WHERE epoch = ?",
    "labelling_round": "INSERT INTO labelling_round VALUES (?, ?, ?, ?, ?)",
    "end_round": "UPDATE labelling_round SET ended_at = ? WHERE round_number = ?",
    "answer": "INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "set_answer_state": "UPDATE answer SET state = ? WHERE step_id = ? AND state != 'discarded'",
    "discard_undone_answers": "UPDATE answer SET state = 'discarded' WHERE made_in_round = ? AND state = 'undone'",
    "class_edit": "INSERT INTO class_edit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "set_class_edit_state": "UPDATE class_edit SET state = ? WHERE step_id = ? AND state != 'discarded'",
    "discard_undone_class_edits": (
        "UPDATE class_edit SET state = 'discarded' WHERE round_number = ? AND state = 'undone'"
    ),
    "image_answer": "INSERT INTO image_answer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "set_image_answer_state": "UPDATE image_answer SET state = ? WHERE step_id = ? AND state != 'discarded'",
    "discard_undone_image_answers": (
        "UPDATE image_answer SET state = 'discarded' WHERE made_in_round = ? AND state = 'undone'"
    ),
    "class_border": "INSERT INTO class_border VALUES (?, ?, ?, ?, ?, ?, ?)",
    "set_class_border_state": "UPDATE class_border SET state = ? WHERE step_id = ? AND state != 'discarded'",
    "discard_undone_class_borders": (
        "UPDATE class_border SET state = 'discarded' WHERE made_in_round = ? AND state = 'undone'"
    ),
    "audit": "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "end_audit": "UPDATE audit SET state = ?, ended_at = ?, result = ?, calibration = ? WHERE id = ?",
    "audit_check": "INSERT INTO audit_check VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "set_audit_check_state": "UPDATE audit_check SET state = ? WHERE step_id = ? AND state != 'discarded'",
    "discard_undone_audit_checks": (
        "UPDATE audit_check SET state = 'discarded' WHERE audit_id = ? AND state = 'undone'"
    ),
    "artifact": "INSERT OR REPLACE INTO artifact VALUES (?, ?, ?)",
    "remove_artifact": "DELETE FROM artifact WHERE name = ?",
}
"""Every statement that changes the tables, by name; that with the name of a table adds a row. The journal stores the
names and the values."""
