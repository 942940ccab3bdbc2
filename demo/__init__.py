"""The demonstration: a small sign-up application, and a page that shows every decision as it is made."""
