"""What dry-run rules would have done, from the log of an application or a service: before a team sets them live."""
