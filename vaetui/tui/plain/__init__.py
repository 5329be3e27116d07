"""The line-by-line front end for pipes and screen readers."""
