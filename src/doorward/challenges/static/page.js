// Reads what the page is told (a block of JSON), has the script of the challenge's kind find the answer, and sends it.
// Nothing here goes round in circles: what fails is said, and a person decides whether to try again.
"use strict";

const block = document.getElementById("challenge");
const told = block ? JSON.parse(block.textContent) : {};
const form = document.getElementById("answer");

// Each kind's script registers how it comes to its answer: doorward.kinds.work = async (told, status) => ({…fields}).
window.doorward = { kinds: {}, told, form };

window.doorward.kinds.wait = (told) => new Promise((done) => setTimeout(done, told.seconds * 1000 + 250, {}));

const status = document.getElementById("status");
const unscripted = document.getElementById("no-script");
if (unscripted) unscripted.remove();

function say(key) {
  if (status && told.words[key]) status.textContent = told.words[key];
}

function hidden(name, value) {
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = name;
  input.value = typeof value === "string" ? value : JSON.stringify(value);
  return input;
}

// A field of the form may be called "submit", and would stand in the place of the form's own function.
const submit = (which) => HTMLFormElement.prototype.submit.call(which);

async function pass() {
  if (!form) return onward();
  const button = document.getElementById("go");
  // Where the visitor answers by hand, the browser keeps the fragment on the way.
  form.action += location.hash;
  const find = window.doorward.kinds[told.kind];
  if (!find) {
    button.hidden = false;
    return;
  }
  button.hidden = true;
  if (!told.by_hand) busy();
  try {
    const fields = await find(told, status);
    busy();
    await send(fields);
  } catch (error) {
    console.info(String(error));
    failed(error.key || "failed");
  }
}

function busy() {
  form.dataset.busy = "";
  if (!status.textContent && told.kind !== "wait") say("working");
}

async function send(fields) {
  const body = new URLSearchParams();
  const skipped = told.form ? told.form.field : null;
  for (const [name, value] of new FormData(form)) if (name !== skipped && typeof value === "string") body.append(name, value);
  for (const [name, value] of Object.entries(fields)) {
    body.set(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  const ask = { headers: { Accept: "application/json" }, credentials: "same-origin", cache: "no-store" };
  const answer = await (await fetch(told.verify, { ...ask, method: "POST", body })).json();
  // Another tab may have passed since: then the clearance is there, whatever became of this answer. One from before is
  // not what was asked for, and going on with it would lead back to here.
  const landed = answer.landed || `${told.verify.replace(/verify$/, "landed")}?t=${encodeURIComponent(told.token)}`;
  const { cookie, since } = await (await fetch(landed, ask)).json();
  if (answer.passed ? cookie : since) return goOn();
  if (answer.passed) return failed("cookies_off");
  if (!answer.next) return failed("failed");
  status.textContent = answer.detail;
  // At once where a person has answered, or something else comes next; else it could go round with nobody there.
  const byPerson = navigator.userActivation && navigator.userActivation.hasBeenActive;
  const goes = byPerson || answer.code === "doubtful" || answer.challenge.kind !== told.kind;
  if (goes) goThere(answer);
  else failed("", () => goThere(answer));
}

// To the next challenge, with the form that is kept; the page there says why.
function goThere({ next, challenge, code }) {
  form.append(hidden("why", code));
  form.elements.namedItem("token").value = challenge.token;
  form.action = next + location.hash;
  submit(form);
}

function goOn() {
  say("passed");
  if (told.form) sendKept();
  else if (told.here) location.reload();
  else if (told.lost && history.length > 1) history.back();
  else location.replace(told.target + location.hash);
}

function sendKept() {
  const kept = form.elements.namedItem(told.form.field).value;
  const copy = document.createElement("form");
  copy.method = "post";
  copy.action = told.target;
  copy.enctype = told.form.kind;
  for (const [name, value] of new URLSearchParams(kept.slice(2))) copy.append(hidden(name, value));
  copy.hidden = true;
  document.body.append(copy);
  submit(copy);
}

function failed(key, again = () => (told.here ? location.reload() : submit(form))) {
  delete form.dataset.busy;
  form.dataset.failed = ""; // nobody is let in by itself any more, and what was there to do is of no use
  say(key);
  const button = document.getElementById("go");
  button.textContent = told.words.try_again;
  button.hidden = false;
  button.type = "button";
  button.addEventListener("click", again, { once: true });
}

function onward() {
  const link = document.getElementById("onward");
  const again = document.getElementById("again");
  if (link) location.replace(link.getAttribute("href") + location.hash);
  if (again) submit(again);
}

window.addEventListener("load", pass);
// Shown again from the browser's memory: what it asks may have been answered since.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && told.here) location.reload();
});
