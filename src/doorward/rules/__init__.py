"""Rules: what a client is asked to decide by. One module for each family."""
