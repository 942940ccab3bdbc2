"""Who gets into the shop: its own rules, on a clock that stands still until it is told."""
