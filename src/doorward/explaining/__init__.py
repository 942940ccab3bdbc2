"""What would happen to one request, rule by rule: ``doorward explain``."""
