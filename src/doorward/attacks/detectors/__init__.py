"""The detectors, one module for each language or kind of attack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.attacks.detectors.code import SerializedDetector, UploadDetector
from doorward.attacks.detectors.content_type import PartNames
from doorward.attacks.detectors.context import ContextPatterns
from doorward.attacks.detectors.crlf import CrlfDetector
from doorward.attacks.detectors.html import HtmlDetector
from doorward.attacks.detectors.include import IncludeDetector
from doorward.attacks.detectors.java import LookupDetector
from doorward.attacks.detectors.ldap import LdapDetector
from doorward.attacks.detectors.mail import MailHeaderDetector
from doorward.attacks.detectors.nosql import OperatorNameDetector, StringBreaks
from doorward.attacks.detectors.paths import PathDetector
from doorward.attacks.detectors.patterns import PatternDetector
from doorward.attacks.detectors.php import PhpCode, PhpFiles
from doorward.attacks.detectors.probes import ProbeDetector
from doorward.attacks.detectors.protocol import Protocol
from doorward.attacks.detectors.scanner import ScannerDetector
from doorward.attacks.detectors.script import ScriptDetector
from doorward.attacks.detectors.session import SessionFixation
from doorward.attacks.detectors.shell import ShellDetector
from doorward.attacks.detectors.sql import SqlDetector
from doorward.attacks.detectors.ssrf import SsrfDetector
from doorward.attacks.detectors.surroundings import CodePatterns
from doorward.attacks.detectors.templates import TemplateDetector
from doorward.attacks.detectors.windows import WindowsDetector
from doorward.attacks.detectors.xxe import XxeDetector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doorward.attacks.detectors.base import Detector, RequestDetector
    from doorward.attacks.rulebook import Rulebook

OF_VALUES: Mapping[str, Sequence[Callable[[Rulebook], Detector]]] = {
    "template": (TemplateDetector,),
    "java": (CodePatterns, LookupDetector, UploadDetector),
    "php": (CodePatterns, PhpCode, PhpFiles),
    "node": (CodePatterns,),
    "code": (CodePatterns, SerializedDetector, UploadDetector),
    "xxe": (XxeDetector,),
    "ssi": (ContextPatterns,),
    "ldap": (LdapDetector, PatternDetector),
    "nosql": (OperatorNameDetector, StringBreaks),
    "xpath": (StringBreaks,),
    "mail": (MailHeaderDetector, ContextPatterns),
    "crlf": (CrlfDetector, PatternDetector),
    "ssrf": (SsrfDetector, PatternDetector),
    "scanner": (ScannerDetector, ContextPatterns),
    "cookies": (ContextPatterns,),
    "parts": (PartNames,),
    "probes": (ProbeDetector,),
    "paths": (PathDetector, PatternDetector),
    "include": (IncludeDetector, PatternDetector),
    "html": (HtmlDetector, PatternDetector),
    "script": (ScriptDetector, PatternDetector),
    "shell": (ShellDetector, PatternDetector),
    "windows": (WindowsDetector, PatternDetector),
    "arguments": (ContextPatterns,),
    "sql": (SqlDetector, PatternDetector),
}
"""For each file of ``rules/`` what is made from it; in the order in which they are asked, cheap and telling first."""

OF_REQUESTS: Mapping[str, Sequence[Callable[[Rulebook], RequestDetector]]] = {
    "protocol": (Protocol,),
    "session": (SessionFixation,),
}
"""The same for what looks at requests as such."""


def value_detectors(books: Mapping[str, Rulebook]) -> list[Detector]:
    """The detectors that look at values."""
    made = [make(books[name]) for name, makers in OF_VALUES.items() for make in makers]
    return [detector for detector in made if not (isinstance(detector, PatternDetector) and detector.is_empty)]


def request_detectors(books: Mapping[str, Rulebook]) -> list[RequestDetector]:
    """The detectors that look at requests as such."""
    return [make(books[name]) for name, makers in OF_REQUESTS.items() for make in makers]
