"""`python -m vaetui` is `vaetui`; it knows nothing of the commands."""

from vaetui.cli.main import main

if __name__ == "__main__":  # not where a process is begun that decodes pictures
    main()
