"""Compiled data about bots, addresses and e-mail domains: the files, their readers, and what refreshes them."""
