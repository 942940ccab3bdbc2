"""Attack detection: what a request carries, place by place, and what in it looks like an attack.

How a request is looked at:

1. :mod:`doorward.attacks.views` takes it apart into values: path, query, headers, cookies, and the body by its kind.
2. :mod:`doorward.attacks.decoding` adds what a value may become further in: once more percent, entities, Base64.
3. Each detector's screen, a few searches for literal text, says whether the detector has to look at a value at all.
4. The detectors that do come to :class:`~doorward.attacks.evidence.Evidence`, each with a weight and a reason.
5. Weights add up per value. One that comes to 1 is conclusive.

Nothing here does I/O. Work is counted in units, and bounded: see :mod:`doorward.attacks.work`. Weights, reasons,
vocabularies and patterns are in ``rules/*.toml``, with examples that must and must not be found.
"""
