"""Ordinary English that happens to use the words of SQL, shells, HTML and mathematics."""

from __future__ import annotations

from random import Random

from .encodings import submit
from .model import Draft, Topic
from .slots import Stock, pick, some

_SQL_WORDS = (
    "Please drop the table off at @{place} @{when}.",
    "The union of students and staff voted on it @{when}; @{n} or more were against.",
    "Select a colour from the list, then choose where to have it delivered.",
    "We're having fun or not, it's up to @{person}.",
    "Insert the key into the lock, turn it and update us @{when}.",
    "Order by phone or by mail, limit @{n} per customer.",
    "I'd like to delete my account from your site, and where do I set that?",
    "Group by age, then by name; having said that, 1 = 1 in my book.",
    "Could you create a table of contents for chapter @{n}?",
    "@{person} said: 'select the best, and drop the rest' -- and left.",
    "There's no where clause in the contract, is there?",
    "Alter the trousers and grant us a discount, like last time.",
    "It's either @{n} or 1; I can't recall which, or if it's true.",
    "Join us at @{place} on the left, all the inner circle will be there.",
    "My union rep said we'd all select @{person} from the candidates.",
    "Don't exec or declare anything before @{when}; the values into which we insert trust are few.",
    "Is it 'like' or 'as'? I never know, and it's driving me nuts.",
    "sleep(@{n}) hours a night isn't enough, or so @{person} says.",
    "Do not truncate table legs; the table is @{n} cm high or more.",
    "The between-meals snack is null and void, as is the @{thing}.",
    "You can't have it both ways' -- that's what she said, wasn't it?",
    "or 2 of them, and 1 more for @{person}",
    "'Twas the night before Christmas, and all through the house...",
    "union jack mugs, select teas from Ceylon; from £@{n}",
    "all of us -- or none of us!",
    "I case when it rains then end up wet; benchmark of a bad day.",
    "Declare war on stains! Cast off, then convert @{n} cups into litres.",
    "'It's only rock 'n' roll', or '70s pop, and '80s too",
)
_SHELL_WORDS = (
    "Cat and dog; id = @{n} on both chips, please.",
    "Ping me && call @{person} @{when}.",
    "The exec summary is in the echo chamber of @{place}; cat's out of the bag.",
    "Who am I to judge @{person}? Less is more; more or less...",
    "Sleep @{n} hours; then wake up & make tea | coffee.",
    "Find the cat; kill the lights; sort the laundry; more tea?",
    "Nice bash at @{place}! We had to curl up & sleep on the floor.",
    "Price: $@{n} (approx.) & free shipping; `about` right, isn't it?",
    "Touch base with @{person}; make sure the head count > @{n} & the tail end is < 5.",
    "Which man page? I mean, which page of 'Man & Boy' is it on?",
    "rm = reichsmark; dd = due date; nc = North Carolina; id = identity document",
    "Java & Python are islands/snakes; Perl isn't pearl || I'm wrong.",
    "and/or: echo 'hello' to the neighbours; wait for the reply; exit left.",
    "$5 | $10 | $20 tickets; cash & cards; no cheques > $50",
    "@{person} & I; @{person} | both of us; what's the difference?",
    "date: @{when}; time: noon; cut: @{n}%; paste it on the wall",
    "Uniq shoes; top sellers; less talk, more action; watch & wait",
    "test 1 && test 2 passed; test 3 || 4 failed; history repeats",
    "su & mo closed; id required; wall paint; cat food; head lice shampoo",
)
_MARKUP_WORDS = (
    "The script was great, alert & on point; @{n} < @{n} any day.",
    "I <3 this @{thing}! <-- best ever -->",
    "If a<b and b<c then a<c, right?",
    "On load days the body of the form goes to @{place}; onclick pens cost @{n} cents.",
    "Temperature <5°C, wind >@{n} km/h; style: casual.",
    "<grin> thanks, @{person} </grin>",
    "*hugs* <waves> ~shrugs~ [sighs] {winks}",
    "My video src is @{url} and the image is broken :(",
    "Write to <@{name}@example.com> or ring @{person}",
    "javascript: the good parts is my favourite book, data: the bad parts isn't",
    "a->b <=> c==>d; 5<x<@{n}; x>>y",
    "Use the <Tab> key, then press <Ctrl>+<C>, <Enter>",
    "<name> lives in <city> since <year> - that's the template, fill it in!",
    "base href on the left, link on the right; meta refresh for @{person}'s memory",
    "Dear {{first_name}}, only @{n} days left; unsubscribe at {{unsubscribe_url}}",
    "Hi *|FNAME|*, %LASTNAME% or [first-name]: which merge tag is it, @{person}?",
    "on error = call @{person}; on focus = breathe",
)
_NUMBERS = (
    "x < @{n} and y > @{n}",
    "1 = 1 is a tautology, 1 = 2 isn't",
    "(a + b)^2 = a^2 + 2ab + b^2",
    "@{n} * @{n} / @{n} - @{n} % 7",
    "5' 11\" tall, 32\" waist; 6'4",
    "40° 26' 46\" N 79° 58' 56\" W",
    "$@{n}.99 -> $@{n}.49 (-@{n}%)",
    "@{year}-12-31T23:59:60+00:00",
    "if x=1 then 2x>1 or x<@{n}",
    "12/@{n}/@{year} - 13/@{n}/@{year}",
    "f(x) = |x| && g(x) = x!",
    "p || q, !p && q, p -> (q or r)",
    "1 or 2; 2 and 3; not 4",
    "H2O + CO2 --> H2CO3; E=mc^2; pH < 7",
    "A={@{n},@{n}}; B=A\\{@{n}}; |A ∪ B| = 3; A∩B=∅",
    "lim (x->0) sin(x)/x = 1",
    "2x4' plank; #@{n} screw; 3/4\" bolt; 'M' size",
    "@{n}/100, 1,000.00 or 1.000,00?",
    "0x1F600, 0b1010, 1e-@{n}, -@{n}, +@{n}, .5, 5., 1_000, ½",
)
_STOCK: Stock = {}


def _sentences(rng: Random, own: tuple[str, ...], path: str) -> Draft:
    field = rng.choice(("comment", "message", "q", "description", "note", "title"))
    written = some(rng, own, rng.choice((1, 1, 2, 4)), rng.choice((" ", " ", "\n")), _STOCK)
    return submit(rng, path, {field: written, "id": str(rng.randint(1, 9999))})


def _sql_words(rng: Random) -> Draft:
    return _sentences(rng, _SQL_WORDS, "/notes")


def _shell_words(rng: Random) -> Draft:
    return _sentences(rng, _SHELL_WORDS, "/api/notes")


def _markup_words(rng: Random) -> Draft:
    return _sentences(rng, _MARKUP_WORDS, "/posts")


def _numbers(rng: Random) -> Draft:
    return submit(
        rng, "/answers", {"answer": pick(rng, _NUMBERS), "unit": rng.choice(("m/s", "%", "°C", "£", "'", '"'))}
    )


TOPICS = (
    Topic("prose-sql-words", "ordinary", 170, _sql_words),
    Topic("prose-shell-words", "ordinary", 120, _shell_words),
    Topic("prose-markup-words", "ordinary", 100, _markup_words),
    Topic("numbers", "ordinary", 90, _numbers),
)
