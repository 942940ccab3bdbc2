// Comes to the answer of a proof of work: by several workers, by the page itself where there can be none, and, where
// neither gets to the end, by what the person who waits does about it.
"use strict";

(() => {
  const MOST_WORKERS = 4; // a telephone with more gets hot, not faster
  const SILENCE_MS = 15000; // of workers that are blocked, and say nothing
  const SLOW_MS = 10000;
  const MOST_ATTEMPTS = 3; // after which something is wrong that computing again does not cure
  const here = document.currentScript.src;
  const bar = document.getElementById("work");
  const working = document.getElementById("working");

  function byWorkers(told, progress) {
    const count = Math.max(1, Math.min(MOST_WORKERS, navigator.hardwareConcurrency || 1));
    const workers = [];
    return new Promise((resolve, reject) => {
      let timer = 0, left = count;
      const silent = () => {
        clearTimeout(timer);
        timer = setTimeout(() => reject(new Error("workers are silent")), SILENCE_MS);
      };
      const heard = ({ data }) => {
        silent();
        if (data.error) reject(new Error(data.error));
        if (data.tried) progress(data.tried);
        if (data.key) resolve(data.key);
        if (data.ended && --left === 0) reject(new Error("nothing found"));
      };
      silent();
      for (let i = 0; i < count; i++) {
        const worker = new Worker(new URL(told.solver, here));
        workers.push(worker);
        worker.onmessage = heard;
        worker.onerror = () => reject(new Error("no workers"));
        worker.postMessage({ challenge: told.challenge, part: { start: i, step: count, most: told.most, slice: 100 } });
      }
    }).finally(() => workers.forEach((worker) => worker.terminate()));
  }

  async function byPage(told, progress) {
    // In slices that leave the page able to answer within 50 ms.
    const part = { start: 0, step: 1, most: told.most, slice: 40 };
    const key = await self.doorwardSearch(told.challenge, part, (tried) => { progress(tried); });
    if (!key) throw new Error("nothing found");
    return key;
  }

  function found(told) {
    let tried = 0;
    const progress = (more) => { tried += more; bar.value = Math.min(1, tried / told.most); };
    return byWorkers(told, progress).catch(() => { tried = 0; return byPage(told, progress); });
  }

  function askedToRetry(told, status) {
    const { form } = window.doorward;
    delete form.dataset.busy; // nothing goes on before the button is pressed
    working.hidden = true;
    status.textContent = told.words.work_failed;
    const button = document.createElement("button");
    button.type = "button";
    button.id = "retry";
    button.textContent = told.words.try_again;
    status.after(button);
    return new Promise((resolve) => {
      button.onclick = () => { button.remove(); form.dataset.busy = ""; status.textContent = ""; working.hidden = false; resolve(); };
    });
  }

  window.doorward.kinds.work = async (told, status) => {
    working.hidden = false; // the page says nothing of computing where no script runs
    if (told.attempt > MOST_ATTEMPTS) await askedToRetry(told, status);
    for (;;) {
      const slow = setTimeout(() => { status.textContent = told.words.work_slow; }, SLOW_MS);
      try {
        return { derivedKey: await found(told) };
      } catch {
        clearTimeout(slow);
        await askedToRetry(told, status);
      } finally {
        clearTimeout(slow);
      }
    }
  };
})();
