"""PHP code, calls, serialised objects, settings and files are found; texts about PHP are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.weighed import assert_linear, found, match_examples, subject_of, wants_what_it_finds, weight

from doorward.attacks.detectors.php import PhpCode
from doorward.attacks.evidence import Place
from doorward.builders.rule_files import rulebooks

FILLER = "the cat sat on the mat and looked at us for a long time while it rained "


@pytest.mark.parametrize(
    "text",
    [
        "<?php phpinfo(); ?>",
        "<?= $a ?>",
        "<? system('id'); ?>",
        "<?PHP echo 1;",
        "< ?php echo 1;",
        "{php}echo 1;{/php}",
        "<script language='php'>echo 1;</script>",
        "<?xml :system('id');",
    ],
    ids=ascii,
)
def test_tags(text: str) -> None:
    """Every way to open PHP code."""
    assert weight("php", text) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "eval($_POST['c'])",
        "@system($_GET[0]);",
        "assert(base64_decode($_REQUEST['a']))",
        "include $_GET['f'];",
        "$_GET[0]($_GET[1])",
        "eval(base64_decode('cGhw'))",
        "assert(gzinflate(str_rot13('a')))",
        "eval(chr(112).chr(104))",
    ],
    ids=ascii,
)
def test_web_shells_are_found_in_long_filler(text: str) -> None:
    """They can be nothing else, whatever stands around them."""
    assert weight("php", text) >= 1.0
    assert weight("php", FILLER * 20 + text + FILLER * 20) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "phpinfo()",
        "base64_decode('YQ==')",
        "file_get_contents ( '/x' )",
        "shell_exec/* a */('id')",
        "fopen # a\n('b')",
        "strip_tags()",
        "system('id')",
        "@exec($a)",
        'eval("1")',
        "exec  (id)",
        "system(whoami)",
        "1;system('id')",
        "/print_r(1)",
    ],
    ids=ascii,
)
def test_calls_by_name(text: str) -> None:
    """With comments and blanks before the parenthesis, alone or after other code."""
    assert weight("php", text) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "('sys'.'tem')('id')",
        "(system)('id')",
        "(sy.(st).em)('id')",
        "[system][0](ls)",
        "(['system'])[0]('id')",
        "\"system\"('id')",
        "$a='sys'.'tem';$a('id')",
        "(string)\"system\"('id')",
        "define('a', 'pass'.'thru');(a)('id')",
        "chr(115).chr(121)",
        "$a('id')",
        "$$a('id')",
        "${'a'}('id')",
        "$a['b']('id')",
        "$a{0}('id')",
        "$a->$b('id')",
        "A::$b('id')",
        "$a /* b */ ('id')",
        "${'_G'.'ET'}",
        "${@phpinfo()}",
        "{${phpinfo()}}",
        "$ {'a'}",
    ],
    ids=ascii,
)
def test_calls_by_names_put_together(text: str) -> None:
    """Joined texts, lists, casts, variables, variable variables."""
    assert weight("php", text) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        'O:8:"stdClass":0:{}',
        'O:+8:"stdClass":1:{s:1:"a";i:2;}',
        'a:1:{i:0;O:1:"A":0:{}}',
        'x|O:3:"A\\B":0:{}',
        'C:11:"ArrayObject":5:{x:i:0}',
        "$_SERVER['argv']",
        "GLOBALS[a]",
        "allow_url_include=1",
        "-d auto_prepend_file=php://input",
        "opcache.enable=0",
        "';print(md5(42));//",
        "php:function('system','id')",
        "/Index/\\think\\app/invokefunction",
        "mail[#post_render][]",
    ],
    ids=ascii,
)
def test_objects_variables_settings_probes(text: str) -> None:
    """Serialised objects, superglobals, settings, and what only running code prints."""
    assert weight("php", text) >= 1.0


@pytest.mark.parametrize(
    "name",
    [
        "a.php",
        "b.PHTML",
        "c.php5...",
        "d.phar ",
        "e. php",
        "f/g.php907",
        "h.php\0.jpg",
        "i.pht",
        "j.php::$DATA",
        "sess_0123456789abcdefghij",
        "/tmp/sess_0123456789abcdefghij",
    ],
    ids=ascii,
)
def test_files_that_a_server_runs(name: str) -> None:
    """As a file's name, in a multipart body or a header; nowhere else."""
    assert weight("php", name, Place.FILENAME) >= 1.0
    for header in ("x-filename", "x_filename", "x.filename", "x-file-name"):
        assert weight("php", name, Place.HEADER, header) >= 1.0
    assert weight("php", name, Place.HEADER, "referer") == 0.0
    assert weight("php", name, Place.QUERY) == 0.0


@pytest.mark.parametrize(
    "name",
    ["photo.png", "notes.txt", "a.php.txt", "php", "report (1).pdf", "session.log", "archive.tar.gz", ".htaccess"],
)
def test_other_files_pass(name: str) -> None:
    """Names of what a PHP server only sends."""
    assert weight("php", name, Place.FILENAME) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "file (copy 2)",
        "system(s)",
        "Operating system (old)",
        "exec summary (draft)",
        "mail (work)",
        "it costs $US (or less)",
        "$(document)",
        "<?xml version='1.0'?>",
        "[system](https://docs.example/system)",
        "https://shop.example/a?b=c(d)",
        "Mozilla/5.0 (X11; Linux x86_64)",
        "GS2.1.s1700000000$o1$g0$t1700000000$j60$l0$h0",
        "$19.99 (each)",
        "regex.exec(text)",
        "print('hello')",
        "import os; print(os.getcwd())",
        "a:1:{}",
        "eval metrics: f1, recall",
        'System.out.println("hi");',
        "my memory_limit",
        "a <? b",
        "rgba(0, 0, 0, 0.5)",
        "f(x) = 2(x)",
    ],
    ids=ascii,
)
def test_what_people_write_passes(text: str) -> None:
    """Words with parentheses, prices, links, agents, code of other languages."""
    assert weight("php", text) < 1.0


@pytest.mark.parametrize(
    "text",
    [
        "When I call array_map() with a function that returns nothing, all values are null. Is there a way around it?",
        "How do I show a value? I tried <?php echo $name; ?> in my page, but it shows nothing, and there is no error.",
        "The manual says that $_SERVER['argv'] is only set on the command line, or has that been changed since then?",
    ],
    ids=["function", "tag", "variable"],
)
def test_questions_about_php_pass(text: str) -> None:
    """Words of a person around it."""
    assert weight("php", text) < 0.2


def test_names_of_functions_prove_less_in_search_fields() -> None:
    """Who looks a function up sends its name, with parentheses."""
    assert weight("php", "strip_tags()", name="q") < 1.0 <= weight("php", "strip_tags()", name="a")


def test_parameter_names_are_looked_at() -> None:
    """A client chooses them, too."""
    assert found("php", subject_of("$_COOKIE", is_name=True)) == {"php.superglobal": 1.0}


@pytest.mark.parametrize(
    "unit",
    ["$a", "$a(", "${", "'a'.", ")(", "x)(", "eval(", "eval /*", "<?", 'O:1:"', "-d ", "$_GET[", "chr(1).", "a=", "$ "],
)
def test_work_doubles_with_the_text(unit: str) -> None:
    """Twice the text is twice the work, and a bound for each character."""
    assert_linear("php", unit, 80)


@given(st.sampled_from(match_examples("php")), st.text(max_size=20), st.text(max_size=20))
def test_the_screen_is_one_sided(example: str, before: str, after: str) -> None:
    """Where something is found, the detector wants the text, also joined with others."""
    assert wants_what_it_finds("php", f"{before}{example}{after}")


@pytest.mark.parametrize(
    "text", ["zlib.output_compression=1", "output_handler=x", "-dsafe_mode=0", "a&mail.log=/x", "-dmail.log=/x"]
)
def test_settings_are_asked_about_however_they_are_written(text: str) -> None:
    """All of the labels of a setting's name have to be there; the first may stand behind the letter of its argument."""
    assert weight("php", text) > 0


@pytest.mark.parametrize("text", ["?ref=mail&x=1", "log=1", "name=output", "mail=a&logs=b"])
def test_words_that_settings_have_are_no_settings(text: str) -> None:
    """A part of a setting's name is an ordinary word, and not looked at."""
    assert not PhpCode(rulebooks()["php"]).wants(subject_of(text))


@pytest.mark.parametrize(
    "call", ["system('id')", "system/**/('id')", "system # x\n('id')", "system   ('id')", "eval=('a')"]
)
def test_calls_are_found_before_their_parentheses(call: str) -> None:
    """With white space, a comment, or an equals sign between name and parenthesis."""
    assert weight("php", call) > 0
