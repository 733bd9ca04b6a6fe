"""hotfolder: folders as an image-generation service."""

__version__ = "0.1.0"
