"""Pure functions and small classes that turn state and keys into text and layout."""
