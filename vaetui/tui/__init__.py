"""The Textual front end and the line-by-line front end."""
