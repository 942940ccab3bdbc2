// Shows decisions as they come. Everything from the server is set as text, never as HTML.
"use strict";

const MOST_SHOWN = 200;
const byId = (id) => document.getElementById(id);
const list = byId("decisions");
const pause = byId("pause");
let held = [];

byId("origin").textContent = location.origin;

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function verdictOf(decision) {
  if (decision.conclusion !== "ALLOW") return [decision.conclusion.toLowerCase(), decision.conclusion];
  return decision.dryRun ? ["dry", "ALLOW, dry run would refuse"] : ["allow", "ALLOW"];
}

function summaryOf(decision, verdict) {
  const summary = element("summary");
  const time = element("time", new Date(decision.at).toLocaleTimeString());
  time.dateTime = new Date(decision.at).toISOString();
  const retry = decision.retryAfter ? `; Retry-After: ${decision.retryAfter}` : "";
  const by = decision.by ? `${decision.by}: ` : "";
  const dry = decision.dryRun ? `; would have been refused by ${decision.dryRun}` : "";
  const status = decision.conclusion === "DENY" ? ` ${decision.status}` : "";
  summary.append(
    time, " ", element("span", verdict + status, "verdict"), " ",
    element("code", `${decision.method} ${decision.path}`), ` from ${decision.ip || "nobody known"}`,
    element("span", by + decision.why + retry + dry, "why"),
  );
  return summary;
}

function rulesOf(decision) {
  const rules = element("ul", undefined, "rules");
  for (const rule of decision.rules) {
    const note = rule.note ? ` [${rule.note}]` : "";
    const state = rule.state.toLowerCase().replace("_", " ");
    const outcome = rule.state === "NOT_RUN" ? `not asked: ${rule.why}` : `${rule.conclusion} (${state}), ${rule.why}`;
    rules.append(element("li", `${rule.name}: ${outcome}${note}`, rule.state === "NOT_RUN" ? "skipped" : "asked"));
  }
  rules.append(element("li", `address found by: ${decision.how.toLowerCase()}`), element("li", `id: ${decision.id}`));
  return rules;
}

function show(decision) {
  const [className, verdict] = verdictOf(decision);
  const item = element("li", undefined, className);
  const details = element("details");
  details.open = decision.conclusion === "DENY" || Boolean(decision.dryRun);
  details.append(summaryOf(decision, verdict), rulesOf(decision));
  item.append(details);
  list.prepend(item);
  while (list.children.length > MOST_SHOWN) list.lastChild.remove();
  byId("empty").hidden = true;
}

function receive(event) {
  const decision = JSON.parse(event.data);
  if (pause.getAttribute("aria-pressed") === "true") {
    held = [...held, decision].slice(-MOST_SHOWN);
    pause.textContent = `Go on (${held.length} waiting)`;
  } else {
    show(decision);
  }
}

pause.addEventListener("click", () => {
  const paused = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? "Go on" : "Pause";
  if (!paused) {
    held.forEach(show);
    held = [];
  }
});

byId("clear").addEventListener("click", () => {
  list.replaceChildren();
  byId("empty").hidden = false;
});

async function send(button) {
  const answer = byId("answer");
  const { method, path, body } = button.dataset;
  try {
    const response = await fetch(path, { method, body, headers: { Accept: "application/json" } });
    const retry = response.headers.get("Retry-After");
    answer.className = response.status === 429 ? "refused" : "";
    const text = (await response.text()).slice(0, 300);
    answer.textContent = `${response.status}${retry ? `, Retry-After: ${retry}` : ""} ${text}`;
  } catch (error) {
    answer.textContent = `No answer: ${error.message}`;
  }
}

for (const button of document.querySelectorAll("button[data-path]")) {
  button.addEventListener("click", () => send(button));
}

const feed = new EventSource("/feed");
feed.addEventListener("open", () => { byId("connection").textContent = "live"; });
feed.addEventListener("error", () => { byId("connection").textContent = "connection lost; trying again …"; });
feed.addEventListener("message", receive);
