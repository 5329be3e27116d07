"""The terminal: capabilities, driver, writer, input and shutdown."""
