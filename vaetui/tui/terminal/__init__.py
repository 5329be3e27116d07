"""Terminal capabilities, input, output and shutdown."""
