"""What every row of the tables fulfils, unless somebody else wrote it; it does not know what is done otherwise."""

COUNT_CONDITION = "BETWEEN 0 AND 1000000000"
REAL_CONDITION = "BETWEEN -1e300 AND 1e300"
FRACTION_CONDITION = "BETWEEN 0.0 AND 1.0"
LOSS_CONDITIONS = f"""
    typeof(reconstruction) = 'real' AND reconstruction {REAL_CONDITION}
    AND typeof(divergence) = 'real' AND divergence {REAL_CONDITION}
    AND typeof(classification) = 'real' AND classification {REAL_CONDITION}
    AND typeof(seconds) = 'real' AND seconds {REAL_CONDITION}
"""
MAX_TIMESTAMP_S = 253_402_000_000.0
"""Near the end of the year 9999, beyond which no calendar goes, wherever one is."""
ROW_CONDITIONS = {
    "meta": "typeof(key) = 'text' AND typeof(value) = 'text' AND length(value) < 100000",
    "figure": f"typeof(epoch) = 'integer' AND epoch {COUNT_CONDITION} AND typeof(step) = 'integer' AND step {COUNT_CONDITION} AND {LOSS_CONDITIONS}",
    "epoch": f"""
        epoch BETWEEN 1 AND (SELECT count(*) FROM epoch) AND {LOSS_CONDITIONS}
        AND ifnull(test_accuracy, 0.0) {FRACTION_CONDITION} AND ifnull(reading_accuracy, 0.0) {FRACTION_CONDITION}
        AND ifnull(changed, 0.0) {FRACTION_CONDITION} AND ifnull(expected, 0.0) {FRACTION_CONDITION}
        AND pixel_accuracy {FRACTION_CONDITION} AND covered {FRACTION_CONDITION} AND typeof(answers) = 'integer' AND answers {COUNT_CONDITION}
    """,
    "reading": f"""
        epoch IN (SELECT epoch FROM epoch) AND typeof(place) = 'integer' AND place {COUNT_CONDITION}
        AND typeof(ifnull(class, 0)) = 'integer' AND ifnull(class, 0) BETWEEN 0 AND 255
    """,
    "round": f"""
        round BETWEEN 1 AND (SELECT count(*) FROM round) AND typeof(clusters) = 'integer' AND clusters {COUNT_CONDITION}
        AND typeof(begun) = 'real' AND begun {REAL_CONDITION}
        AND typeof(ifnull(ended, 0.0)) = 'real' AND ifnull(ended, 0.0) {REAL_CONDITION}
    """,
    "saying": f"""
        id {COUNT_CONDITION} AND round IN (SELECT round FROM round) AND typeof(said) = 'real' AND said {REAL_CONDITION}
        AND typeof(path) = 'text' AND path GLOB '[0-9]*' AND path GLOB '*[0-9]' AND path NOT GLOB '*[^0-9.]*'
        AND path NOT GLOB '*..*' AND length(path) < 200 AND state IN ('stands', 'undone', 'dropped')
        AND (kind = 'unreadable'
            OR (kind = 'label' AND typeof(label) = 'integer' AND label BETWEEN 0 AND 255
                AND typeof(confidence) = 'real' AND confidence {FRACTION_CONDITION})
            OR (kind = 'split' AND typeof(parts) = 'integer' AND parts BETWEEN 1 AND 1000))
    """,
    "naming": f"""
        id {COUNT_CONDITION} AND id NOT IN (SELECT id FROM saying) AND round IN (SELECT round FROM round)
        AND typeof(said) = 'real' AND said {REAL_CONDITION} AND state IN ('stands', 'undone', 'dropped')
        AND typeof(class) = 'integer' AND class BETWEEN 0 AND 255
        AND ((kind IN ('added', 'renamed') AND typeof(name) = 'text' AND length(name) BETWEEN 1 AND 100)
            OR (kind = 'merged' AND typeof(target) = 'integer' AND target BETWEEN 0 AND 255))
    """,
    "file": """
        typeof(name) = 'text' AND name GLOB '[a-z]*' AND name NOT GLOB '*[^a-z0-9.-]*' AND length(name) < 100
        AND typeof(size) = 'integer' AND size BETWEEN 0 AND 8000000000
        AND typeof(digest) = 'text' AND length(digest) = 64
    """,
}
"""A condition for each table; epochs and rounds are 1, 2, ... without gaps."""


def parse_timestamp(text: str) -> float:
    """Read seconds since 1970, or raise ValueError for what is no time of any calendar."""
    seconds = float(text)
    if not 0 <= seconds <= MAX_TIMESTAMP_S:
        raise ValueError(text)
    return seconds
