"""The line-by-line front end for pipes, logs and screen readers."""
