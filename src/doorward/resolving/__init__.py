"""The parts of :class:`doorward.resolver.DnsResolver`. What decides is pure; only the two exchanges touch a socket."""
