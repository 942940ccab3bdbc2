"""What an application needs to ask a decision service, and to go on without it."""
