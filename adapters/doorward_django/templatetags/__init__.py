"""Template tags: ``{% load doorward %}``."""
