"""Runs the command line as `python -m vaetui`."""

from vaetui.cli.main import main

if __name__ == "__main__":  # Worker processes import this module, too.
    main()
