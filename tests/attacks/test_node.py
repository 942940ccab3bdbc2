"""JavaScript that is to run on a server is found; source code and texts about it are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.weighed import assert_linear, match_examples, subject_of, wants_what_it_finds, weight
from tests.attacks.weighed import found as found_in


@pytest.mark.parametrize(
    "name",
    [
        "__proto__[a]",
        "__proto__.a",
        "a.__proto__.b",
        "constructor[prototype][a]",
        "constructor.prototype.a",
        "a[constructor][prototype]",
    ],
)
def test_pollution_by_names(name: str) -> None:
    """Names of parameters that end in the prototype of all objects."""
    weights = found_in("node", subject_of(name, is_name=True))
    assert sum(weights.values()) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        '{"__proto__": {"isAdmin": true}}',
        '{"constructor": {"prototype": {"a": 1}}}',
        "this.constructor.constructor('return process')()",
        "[].pop['constructor']('return 1')()",
        '{"then": "$1:__proto__:then"}',
        "_$$ND_FUNC$$_function(){}()",
        "a: !!js/function 'x'",
    ],
    ids=ascii,
)
def test_prototypes_constructors_and_serialised_functions(text: str) -> None:
    """In values."""
    assert weight("node", text) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "require('child_process').exec('id')",
        "process.mainModule.require('fs')",
        "global.process.exit()",
        "process['env']",
        "process.env",
        "require('fs').readFileSync('/x')",
        "import('os').then(a)",
        "process.binding('spawn_sync')",
        "a.execSync('id')",
        "module.exports=",
        "function(){ return 1 }",
        "(function(){})()",
        "new Function('return 1')()",
        "while(true);",
        "while(!0){}",
        "for(;;);",
        "';while(1);'",
        "console.log(8*8)",
        "console['log'](1)",
        "res.end(require('fs'))",
        "eval(String.fromCharCode(97))",
    ],
    ids=ascii,
)
def test_code_of_a_server(text: str) -> None:
    """Modules that reach out, the process, functions, loops without end."""
    assert weight("node", text) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "constructor(props) { super(props); }",
        "the constructor and its prototype",
        "in the process. Exit now",
        "we require (at least) two",
        "while (x < 3) { x++; }",
        "for a while (1 hour)",
        "a new function (see page 4)",
        "console.log('hello')",
        "const fs = require('fs')",
        "games console (2024)",
        "module.exports = compare",
        "How do I use require() here?",
        "function total(list) {",
        "__prototype__",
        "import React from 'react'",
        "The onclick handler does not fire",
        "NODE_ENV=production",
        "response.json()",
        "import (goods)",
    ],
    ids=ascii,
)
def test_what_people_and_programs_write_passes(text: str) -> None:
    """Words of the language, and everyday code."""
    assert weight("node", text) < 1.0


SOURCE = """const { exec } = require('child_process');
const fs = require('fs');
// read the file, and say how long it is: why does this print nothing?
fs.readFile('a.txt', (error, data) => { if (error) throw error; console.log(data.length); process.exit(0); });
module.exports = { exec };"""


@pytest.mark.parametrize(
    "text",
    [
        SOURCE,
        "It says that process.env.PORT is set by the host, and that require('fs').readFileSync() waits. Is that so?",
    ],
    ids=["source", "question"],
)
def test_technical_texts_pass(text: str) -> None:
    """Many words around it."""
    assert weight("node", text) < 1.0


def test_a_report_of_a_browser_may_hold_the_beginning_of_a_script() -> None:
    """Content Security Policy 3: ``script-sample`` and ``sample``."""
    sample = "(function(){var a=document.getElem"
    assert weight("node", sample, name="csp-report.script-sample") < 1.0 <= weight("node", sample, name="a")


@pytest.mark.parametrize(
    "unit",
    ["__proto__", "constructor[", "constructor:", "process[", "while(", "require('", "$1:", "function(", "console."],
)
def test_work_doubles_with_the_text(unit: str) -> None:
    """Twice the text is twice the work, and a bound for each character."""
    assert_linear("node", unit, 40)


@given(st.sampled_from(match_examples("node")), st.text(max_size=20), st.text(max_size=20))
def test_the_screen_is_one_sided(example: str, before: str, after: str) -> None:
    """Where something is found, the detector wants the text, also joined with others."""
    assert wants_what_it_finds("node", f"{before}{example}{after}")
