"""SQL conditions that every row written by vaetui fulfils; `database.require_valid_rows` refuses all others."""

from vaetui.engine.classes import MAX_CLASS_NAME_CHARS

COUNT_CONDITION = "BETWEEN 0 AND 1000000000"
REAL_CONDITION = "BETWEEN -1e300 AND 1e300"
FRACTION_CONDITION = "BETWEEN 0.0 AND 1.0"
STATE_CONDITION = "IN ('active', 'undone', 'discarded')"
STEP_CONDITION = "typeof(step_id) = 'integer' AND step_id BETWEEN 1 AND id"
LOSS_CONDITIONS = f"""
    typeof(reconstruction) = 'real' AND reconstruction {REAL_CONDITION}
    AND typeof(kl_divergence) = 'real' AND kl_divergence {REAL_CONDITION}
    AND typeof(classification) = 'real' AND classification {REAL_CONDITION}
    AND typeof(contrastive) = 'real' AND contrastive {REAL_CONDITION}
    AND typeof(consistency) = 'real' AND consistency {REAL_CONDITION}
    AND typeof(seconds) = 'real' AND seconds {REAL_CONDITION}
"""
MADE_IN_ROUND_CONDITION = (
    "typeof(made_in_round) = 'integer' AND made_in_round BETWEEN 1 AND (SELECT count(*) + 1 FROM labelling_round)"
)
CREATED_AT_CONDITION = f"typeof(created_at) = 'real' AND created_at {REAL_CONDITION}"
CLASS_ID_CONDITION = "BETWEEN 0 AND 255"
MAX_TIMESTAMP_S = 253_402_000_000.0
"""Seconds since 1970: near the end of the year 9999, where Python's calendar ends in every time zone."""
MAX_META_CHARS = 3_000_000
"""Most characters of a value of table meta. The longest, the data options, repeat up to 250 class names of 100
characters four times, where JSON may need 12 bytes for each, and the indices of up to 100,000 omitted images."""
ROW_CONDITIONS = {
    "meta": f"typeof(key) = 'text' AND typeof(value) = 'text' AND length(value) <= {MAX_META_CHARS}",
    "training_loss": f"""
        typeof(epoch) = 'integer' AND epoch {COUNT_CONDITION} AND typeof(step) = 'integer' AND step {COUNT_CONDITION}
        AND {LOSS_CONDITIONS}
    """,
    "epoch": f"""
        epoch BETWEEN 1 AND (SELECT count(*) FROM epoch) AND {LOSS_CONDITIONS}
        AND ifnull(test_accuracy, 0.0) {FRACTION_CONDITION} AND ifnull(reading_accuracy, 0.0) {FRACTION_CONDITION}
        AND ifnull(prediction_churn, 0.0) {FRACTION_CONDITION} AND ifnull(mean_confidence, 0.0) {FRACTION_CONDITION}
        AND ifnull(expected_accuracy, 0.0) {FRACTION_CONDITION}
        AND ifnull(pixel_accuracy, 0.0) {FRACTION_CONDITION} AND label_coverage {FRACTION_CONDITION}
        AND typeof(answer_count) = 'integer' AND answer_count {COUNT_CONDITION}
    """,
    "reading_answer": f"""
        epoch IN (SELECT epoch FROM epoch) AND typeof(position) = 'integer' AND position {COUNT_CONDITION}
        AND typeof(ifnull(class_id, 0)) = 'integer' AND ifnull(class_id, 0) BETWEEN 0 AND 255
    """,
    "labelling_round": f"""
        round_number BETWEEN 1 AND (SELECT count(*) FROM labelling_round)
        AND typeof(cluster_count) = 'integer' AND cluster_count {COUNT_CONDITION}
        AND typeof(started_at) = 'real' AND started_at {REAL_CONDITION}
        AND typeof(ifnull(ended_at, 0.0)) = 'real' AND ifnull(ended_at, 0.0) {REAL_CONDITION}
    """,
    "answer": f"""
        id {COUNT_CONDITION} AND {STEP_CONDITION}
        AND round_number IN (SELECT round_number FROM labelling_round) AND typeof(made_in_round) = 'integer'
        AND made_in_round BETWEEN round_number AND (SELECT count(*) + 1 FROM labelling_round)
        AND typeof(created_at) = 'real' AND created_at {REAL_CONDITION}
        AND typeof(cluster_path) = 'text' AND cluster_path GLOB '[0-9]*' AND cluster_path GLOB '*[0-9]'
        AND cluster_path NOT GLOB '*[^0-9.]*' AND cluster_path NOT GLOB '*..*' AND length(cluster_path) < 200
        AND state {STATE_CONDITION} AND (kind = 'nearest') = (image_index IS NOT NULL)
        AND (kind IN ('unreadable', 'cleared')
            OR (kind = 'nearest' AND typeof(class_id) = 'integer' AND class_id {CLASS_ID_CONDITION}
                AND typeof(image_index) = 'integer' AND image_index {COUNT_CONDITION}
                AND confidence IS NULL AND part_count IS NULL)
            OR (kind = 'class' AND typeof(class_id) = 'integer' AND class_id BETWEEN 0 AND 255
                AND typeof(confidence) = 'real' AND confidence {FRACTION_CONDITION})
            OR (kind = 'split' AND typeof(part_count) = 'integer' AND part_count BETWEEN 1 AND 1000))
    """,
    "class_edit": f"""
        id {COUNT_CONDITION} AND id NOT IN (SELECT id FROM answer) AND {STEP_CONDITION}
        AND round_number IN (SELECT round_number FROM labelling_round)
        AND typeof(created_at) = 'real' AND created_at {REAL_CONDITION} AND state {STATE_CONDITION}
        AND typeof(class_id) = 'integer' AND class_id BETWEEN 0 AND 255
        AND ((kind IN ('add', 'rename') AND typeof(class_name) = 'text'
                AND length(class_name) BETWEEN 1 AND {MAX_CLASS_NAME_CHARS})
            OR (kind = 'merge' AND typeof(target_class_id) = 'integer' AND target_class_id BETWEEN 0 AND 255))
    """,
    "image_answer": f"""
        id {COUNT_CONDITION} AND id NOT IN (SELECT id FROM answer) AND id NOT IN (SELECT id FROM class_edit)
        AND {STEP_CONDITION} AND {MADE_IN_ROUND_CONDITION} AND {CREATED_AT_CONDITION} AND state {STATE_CONDITION}
        AND typeof(image_index) = 'integer' AND image_index {COUNT_CONDITION}
        AND origin IN ('review', 'pair', 'audit')
        AND typeof(ifnull(shown_class_id, 0)) = 'integer' AND ifnull(shown_class_id, 0) {CLASS_ID_CONDITION}
        AND ((kind IN ('unreadable', 'cleared') AND class_id IS NULL)
            OR (kind = 'class' AND typeof(class_id) = 'integer' AND class_id {CLASS_ID_CONDITION}))
    """,
    "class_border": f"""
        id {COUNT_CONDITION} AND id NOT IN (SELECT id FROM answer) AND id NOT IN (SELECT id FROM class_edit)
        AND id NOT IN (SELECT id FROM image_answer)
        AND {STEP_CONDITION} AND {MADE_IN_ROUND_CONDITION} AND {CREATED_AT_CONDITION} AND state {STATE_CONDITION}
        AND typeof(class_id) = 'integer' AND class_id {CLASS_ID_CONDITION}
        AND typeof(image_count) = 'integer' AND image_count BETWEEN 1 AND 100000000
    """,
    "audit": f"""
        id BETWEEN 1 AND (SELECT count(*) FROM audit) AND plan IN ('quick', 'full')
        AND typeof(version) = 'text' AND length(version) = 12 AND version NOT GLOB '*[^0-9a-f]*'
        AND typeof(epoch) = 'integer' AND epoch {COUNT_CONDITION}
        AND typeof(round_number) = 'integer' AND round_number {COUNT_CONDITION}
        AND typeof(image_count) = 'integer' AND image_count BETWEEN 1 AND 1000
        AND typeof(class_count) = 'integer' AND class_count BETWEEN 1 AND 256
        AND state IN ('open', 'finished', 'abandoned') AND typeof(started_at) = 'real' AND started_at {REAL_CONDITION}
        AND (state = 'open') = (ended_at IS NULL) AND (state = 'finished') = (result IS NOT NULL)
        AND typeof(ifnull(ended_at, 0.0)) = 'real' AND ifnull(ended_at, 0.0) {REAL_CONDITION}
        AND typeof(ifnull(result, '')) = 'text' AND length(ifnull(result, '')) <= {MAX_META_CHARS}
        AND typeof(ifnull(calibration, '')) = 'text' AND length(ifnull(calibration, '')) <= {MAX_META_CHARS}
    """,
    "audit_check": f"""
        id {COUNT_CONDITION} AND {STEP_CONDITION} AND {CREATED_AT_CONDITION} AND state {STATE_CONDITION}
        AND audit_id IN (SELECT id FROM audit) AND typeof(position) = 'integer'
        AND position BETWEEN 0 AND (SELECT image_count FROM audit WHERE audit.id = audit_id) - 1
        AND ((kind IN ('unreadable', 'cleared') AND class_id IS NULL)
            OR (kind = 'class' AND typeof(class_id) = 'integer' AND class_id {CLASS_ID_CONDITION}))
    """,
    "artifact": """
        typeof(name) = 'text' AND name GLOB '[a-z]*' AND name NOT GLOB '*[^a-z0-9.-]*' AND length(name) < 100
        AND typeof(size_bytes) = 'integer' AND size_bytes BETWEEN 0 AND 8000000000
        AND typeof(sha256_hex) = 'text' AND length(sha256_hex) = 64
    """,
}
"""A condition for each table, in the order of insertion. Epochs and rounds are numbered 1, 2, ... without gaps."""


def parse_timestamp(text: str) -> float:
    """Return seconds since 1970; raises ValueError if the text is not a number or lies outside the calendar."""
    seconds = float(text)
    if not 0 <= seconds <= MAX_TIMESTAMP_S:
        raise ValueError(f"timestamp out of range: {text}")
    return seconds
