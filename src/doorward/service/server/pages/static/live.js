"use strict";
// Puts decisions into the table as they happen. All that comes is text: it is never read as markup.
(() => {
  const live = document.getElementById("live");
  const rows = document.getElementById("rows");
  const line = document.getElementById("line");
  const pause = document.getElementById("pause");
  const state = document.getElementById("state");
  const news = document.getElementById("news");
  if (!live || !rows || !line) return;

  const EVERY = 2000, SLOWEST = 30000, SECONDS = 15000, MOST = Number(live.dataset.most) * 2;
  let cursor = live.dataset.cursor, wait = EVERY, timer = 0, busy = false, paused = false, unsaid = 0, saidAt = 0;
  const known = new Set(Array.from(rows.querySelectorAll("a[data-link=href]"), (a) => a.getAttribute("href")));

  const say = (text, bad) => {
    if (state.textContent !== text) state.textContent = text;
    live.classList.toggle("bad", Boolean(bad));
  };

  // Spoken at most every ten seconds, as a number: a table that reads itself out is no help.
  const announce = (count) => {
    unsaid += count;
    if (unsaid && Date.now() - saidAt > 10000) {
      news.textContent = unsaid === 1 ? "1 new decision" : `${unsaid} new decisions`;
      unsaid = 0;
      saidAt = Date.now();
    }
  };

  const drawn = (row) => {
    const copy = line.content.cloneNode(true);
    for (const part of copy.querySelectorAll("[data-text]")) {
      part.textContent = row[part.dataset.text];
      if (part.dataset.text === "conclusion") part.dataset.is = row.conclusion;
    }
    for (const part of copy.querySelectorAll("[data-dry]")) part.textContent = row.dry && `DRY RUN ${row.dry}`;
    for (const part of copy.querySelectorAll("[data-time]")) part.dateTime = row.at;
    for (const part of copy.querySelectorAll("[data-link]")) {
      const path = row[part.dataset.link];
      if (path.startsWith("/decisions")) part.setAttribute("href", path);
    }
    const tr = copy.querySelector("tr");
    tr.dataset.is = row.conclusion;
    tr.classList.add("new");
    return copy;
  };

  const insert = (found) => {
    const fresh = found.filter((row) => !known.has(row.href));
    for (const row of fresh) {
      known.add(row.href);
      rows.prepend(drawn(row));
    }
    for (const last of Array.from(rows.children).slice(MOST)) {
      if (last.contains(document.activeElement)) break;
      known.delete(last.querySelector("a[data-link=href]").getAttribute("href"));
      last.remove();
    }
    if (fresh.length) document.getElementById("none")?.remove();
    announce(fresh.length);
  };

  const ask = async () => {
    const url = new URL(live.dataset.url, location.origin);
    url.searchParams.set("cursor", cursor);
    const answer = await fetch(url, { signal: AbortSignal.timeout(SECONDS), cache: "no-store" });
    if (answer.status === 401) {
      paused = true;
      say("Logged out: reload this page to log in again.", true);
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const found = await answer.json();
    if (paused) return; // pressed meanwhile: the same will be asked for again
    cursor = found.cursor;
    insert(found.rows);
    wait = EVERY;
    say("Live");
  };

  const turn = async () => {
    clearTimeout(timer);
    if (busy || paused || document.hidden) return;
    busy = true;
    try {
      await ask();
    } catch {
      wait = Math.min(wait * 2, SLOWEST);
      say(`Connection lost. Trying again in ${wait / 1000} s.`, true);
    }
    busy = false;
    if (!paused && !document.hidden) timer = setTimeout(turn, wait);
  };

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    say(paused ? "Paused" : "Live");
    if (!paused) turn();
  });
  document.addEventListener("visibilitychange", () => document.hidden || turn());
  live.hidden = false;
  say("Live");
  timer = setTimeout(turn, EVERY);
})();
