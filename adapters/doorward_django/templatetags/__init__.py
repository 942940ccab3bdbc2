"""Template tags of doorward."""
