"""The kind ``browser``: a proof of work by something that behaves as a browser does.

What the page's script reads of its browser is weighed, never believed: against what is known of the browser that the
request claims to come from, and against the request. Who is found doubtful is asked for more, and never just refused.
"""
