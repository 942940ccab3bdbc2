"""The decision service: the engine behind a Starlette application."""
