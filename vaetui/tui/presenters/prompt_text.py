"""The questions of the labelling prompt."""

from __future__ import annotations

from vaetui.tui.presenters.key_parser import CONFIDENCE_HINT, LEAVE_HINT, PARTS_HINT, Focus, KeyParser


def format_question(parser: KeyParser, focus: Focus) -> tuple[str, str]:
    """Return the question for the state of `parser`, and the keys that answer it."""
    match parser.state:
        case "confidence":
            name = parser.classes.names[int(parser.typed_text)]
            typed = f"{parser.typed_text}_" if name == parser.typed_text else f"{parser.typed_text} {name}_"
            return f"Cluster {focus.name}: class? {typed}", CONFIDENCE_HINT
        case "parts":
            return f"Split into {parser.suggest_parts(focus.size)} parts?", PARTS_HINT
        case "leave":
            clusters = "1 cluster has" if focus.unanswered_count == 1 else f"{focus.unanswered_count} clusters have"
            return f"{clusters} no answer.", LEAVE_HINT
    if focus.unanswered_count == 0:
        return f"Cluster {focus.name}:", "all clusters have answers · g: train"
    if parser.is_one_key_mode:
        return f"Cluster {focus.name}: class at confidence {parser.confidence:.1f}?", "One-key mode on · a: off"
    return f"Cluster {focus.name}: class?", "0-9: class, then Enter: certain or 1-9: confidence"
