"""Run a command: open the session, choose the front end, handle signals and crashes."""
