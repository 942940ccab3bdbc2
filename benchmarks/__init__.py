"""What doorward costs, measured beside the libraries one would pick instead: ``make bench``."""
