"""`python -m vaetui` is `vaetui`; it knows nothing of the commands."""

from vaetui.cli import main

main()
