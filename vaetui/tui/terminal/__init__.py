"""The terminal: capabilities, driver, writer, burst guard and shutdown."""
