// Hosted captchas: on a challenge's page it sends the form when the widget has a response; in a form of the
// application's own it asks those for one that show nothing (reCAPTCHA with a score), when the form is sent.
"use strict";

{
  const page = window.doorward;
  let pass, fail;
  const solved = new Promise((resolve, reject) => { pass = () => resolve({}); fail = reject; });
  window.doorwardSolved = () => pass();

  const asked = document.getElementById("hosted");
  if (page && asked) asked.hidden = false;

  const hidden = () => document.querySelectorAll("[data-doorward-captcha]");

  const ready = (api) => new Promise((resolve) => api.ready(resolve));

  async function respond(input) {
    const api = input.dataset.doorwardCaptcha === "enterprise" ? grecaptcha.enterprise : grecaptcha;
    await ready(api);
    input.value = await api.execute(input.dataset.sitekey, { action: input.dataset.action });
  }

  function sent(form, by) {
    if (form.requestSubmit) return form.requestSubmit(by);
    // Safari before version 16: the form is sent without asking anybody, and without its button.
    if (by && by.name) {
      const pressed = Object.assign(document.createElement("input"), { type: "hidden", name: by.name, value: by.value });
      form.append(pressed);
    }
    HTMLFormElement.prototype.submit.call(form);
  }

  function atSending(input) {
    let has = false;  // a response is good once: the next sending takes another
    input.form.addEventListener("submit", async (event) => {
      if (has) return;
      event.preventDefault();
      const by = event.submitter;
      try { await respond(input); } catch { input.value = ""; }
      await new Promise((resolve) => { setTimeout(resolve); });  // a form that is being sent cannot be sent
      has = true;
      sent(input.form, by);
      has = false;
    });
  }

  for (const element of hidden()) {
    const { doorwardCaptcha, sitekey, action } = element.dataset;
    if (doorwardCaptcha === "mtcaptcha") {
      window.mtcaptchaConfig = { sitekey, action, "verified-callback": "doorwardSolved" };
    } else if (!page) {
      atSending(element);
    }
  }

  if (page && page.told.calls) {
    // A provider's script that extensions or networks block: deferred scripts fail in their turn, which is after ours.
    solved.catch(() => {});
    window.addEventListener("error", ({ target }) => {
      if (target instanceof HTMLScriptElement) fail(Object.assign(new Error("blocked"), { key: "hosted_failed" }));
    }, true);
    page.kinds[page.told.kind] = async () => {
      for (const element of hidden()) {
        if (element.dataset.doorwardCaptcha === "mtcaptcha") continue;
        if (!window.grecaptcha) break;
        await respond(element);
        return {};
      }
      return solved;
    };
  }
}
