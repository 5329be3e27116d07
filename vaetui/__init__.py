"""vaetui labels large image sets from a terminal; it knows nothing here so that importing it costs nothing."""

__version__ = "0.1.0"
