// The kind "browser": a proof of work, and what this browser says of itself. What is read here is weighed by the server
// against what it saw itself, and then dropped; nothing in it is meant to tell one person from another. Whatever cannot
// be read is sent as null. The same file is the worker that says how the browser looks from there.
"use strict";

{
  const worker = typeof document === "undefined";
  const self_url = worker ? "" : document.currentScript.src;
  const LONGEST_WAIT_MS = 1000;

  const hints = (from) => {
    const data = from.userAgentData;
    if (!data) return null;
    return { brands: data.brands.map((each) => [each.brand, each.version]), mobile: data.mobile, platform: data.platform };
  };

  const face = (from) => ({
    agent: from.userAgent,
    platform: from.platform,
    languages: Array.from(from.languages),
    cores: from.hardwareConcurrency ?? null,
    hints: hints(from),
  });

  const attempt = (read) => {
    try {
      return read() ?? null;
    } catch {
      return null;
    }
  };

  const in_time = (promise) =>
    Promise.race([promise, new Promise((done) => setTimeout(done, LONGEST_WAIT_MS, null))]).catch(() => null);

  // --- what programs that drive browsers leave behind

  const GLOBALS = {
    selenium: /^(_|__)?(selenium|webdriver|driver|fxdriver)_|^_?(selenium|Selenium_IDE_Recorder)$|^(call|called)Selenium$|^__webdriver/i,
    cdc: /^\$?cdc_|^\$chrome_asyncScriptInfo$/,
    phantom: /^(callPhantom|_phantom|phantom)$/,
    nightmare: /^__nightmare$/,
    playwright: /^__(playwright|pw)/,
    puppeteer: /^(__)?puppeteer_/,
    automation: /^domAutomation(Controller)?$|^__lastWatir/,
  };

  const marks = () => {
    const names = [...Object.getOwnPropertyNames(window), ...Object.getOwnPropertyNames(document)];
    const found = Object.keys(GLOBALS).filter((mark) => names.some((name) => GLOBALS[mark].test(name)));
    const root = document.documentElement;
    if (["webdriver", "selenium", "driver"].some((name) => root.hasAttribute(name))) found.push("attribute");
    return found;
  };

  // --- whether what is read is what the browser would say

  const clean_frame = () => {
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.body.append(frame);
    return frame;
  };

  const getter = (of, name) => Object.getOwnPropertyDescriptor(of, name)?.get;

  const altered = (clean) => {
    // The text of a function as a realm that nothing has touched gives it: a proxy or a bound function has no name in it.
    const text = clean.Function.prototype.toString;
    const native = (fn, name) => {
      if (fn === undefined) return true;
      const shown = text.call(fn);
      return shown.includes("[native code]") && shown.includes(name);
    };
    const read = ["webdriver", "plugins", "mimeTypes", "languages", "userAgent", "platform", "hardwareConcurrency",
      "deviceMemory", "vendor", "maxTouchPoints", "permissions"];
    const own = Object.getOwnPropertyNames(navigator);
    const found = read.filter((name) => own.includes(name) || !native(getter(Navigator.prototype, name), name));
    if (!native(Function.prototype.toString, "toString")) found.push("toString");
    if (window.Permissions && !native(Permissions.prototype.query, "query")) found.push("query");
    if (window.WebGLRenderingContext && !native(WebGLRenderingContext.prototype.getParameter, "getParameter")) {
      found.push("getParameter");
    }
    if (!native(getter(HTMLIFrameElement.prototype, "contentWindow"), "contentWindow")) found.push("contentWindow");
    return found;
  };

  const frame_agrees = (clean) =>
    clean.navigator.webdriver === navigator.webdriver && clean.navigator.userAgent === navigator.userAgent &&
    clean.navigator.platform === navigator.platform &&
    String(clean.navigator.languages) === String(navigator.languages) && clean !== window &&
    Boolean(clean.chrome) === Boolean(window.chrome);

  const in_worker = () =>
    new Promise((done) => {
      const other = new Worker(self_url);
      other.onmessage = (event) => done(event.data);
      other.onerror = () => done(null);
      setTimeout(() => (other.terminate(), done(null)), LONGEST_WAIT_MS);
    });

  // --- the machine

  const stack = () => {
    try {
      null.nothing;
    } catch (error) {
      const text = String(error.stack);
      if (/^TypeError: .*\n\s+at /.test(text)) return "v8";
      if (/^[^\n]*@[^\n]+:\d+:\d+(\n|$)/.test(text)) return "lineNumber" in error ? "gecko" : "webkit";
    }
    return "other";
  };

  const graphics = () => {
    const gl = document.createElement("canvas").getContext("webgl");
    if (!gl) return null;
    const extension = gl.getExtension("WEBGL_debug_renderer_info");
    const vendor = gl.getParameter(extension ? extension.UNMASKED_VENDOR_WEBGL : gl.VENDOR);
    const renderer = gl.getParameter(extension ? extension.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
    gl.getExtension("WEBGL_lose_context")?.loseContext();
    return { vendor: String(vendor).slice(0, 200), renderer: String(renderer).slice(0, 200) };
  };

  const zone_offset = () => {
    // Minutes behind UTC, of the zone that Intl names.
    const now = new Date();
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric",
      day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
    const part = Object.fromEntries(format.formatToParts(now).map((each) => [each.type, Number(each.value)]));
    const there = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
    return Math.round((now.getTime() - there) / 60000);
  };

  const permission = async () => {
    const state = (await navigator.permissions.query({ name: "notifications" })).state;
    return { query: state, notification: Notification.permission };
  };

  const whole = (numbers) => numbers.map((each) => (Number.isFinite(each) ? Math.round(each) : 0));

  const collected = async () => {
    const frame = attempt(clean_frame);
    const clean = attempt(() => frame.contentWindow);
    const other = attempt(in_worker);
    const asked = attempt(permission);
    const signals = {
      ...face_or_nothing(),
      vendor: attempt(() => navigator.vendor),
      product: attempt(() => navigator.productSub),
      language: attempt(() => navigator.language),
      frozen: attempt(() => Object.isFrozen(navigator.languages)),
      webdriver: attempt(() => navigator.webdriver),
      marks: attempt(marks),
      altered: attempt(() => altered(clean)),
      frame: attempt(() => frame_agrees(clean)),
      plugins: attempt(() => navigator.plugins.length),
      mimes: attempt(() => navigator.mimeTypes.length),
      arrays: attempt(() => navigator.plugins instanceof PluginArray && navigator.mimeTypes instanceof MimeTypeArray &&
        Array.from(navigator.plugins).every((each) => each instanceof Plugin)),
      pdf: attempt(() => navigator.pdfViewerEnabled),
      cookies: attempt(() => navigator.cookieEnabled),
      memory: attempt(() => navigator.deviceMemory),
      touch: attempt(() => navigator.maxTouchPoints),
      coarse: attempt(() => matchMedia("(any-pointer: coarse)").matches),
      screen: attempt(() => whole([screen.width, screen.height, screen.availWidth, screen.availHeight, screen.colorDepth])),
      window: attempt(() => whole([innerWidth, innerHeight, outerWidth, outerHeight])),
      zone: attempt(() => Intl.DateTimeFormat().resolvedOptions().timeZone),
      offsets: attempt(() => [new Date().getTimezoneOffset(), zone_offset()]),
      graphics: attempt(graphics),
      chrome: attempt(() => Boolean(window.chrome)),
      secure: attempt(() => isSecureContext),
      eval: attempt(() => eval.toString().length),
      stack: attempt(stack),
    };
    signals.worker = other && (await in_time(other));
    signals.permission = asked && (await in_time(asked));
    attempt(() => frame.remove());
    return signals;
  };

  const face_or_nothing = () =>
    attempt(() => face(navigator)) ?? { agent: null, platform: null, languages: null, cores: null, hints: null };

  if (worker) {
    self.postMessage(attempt(() => face(navigator)));
  } else {
    window.doorward.signals = collected;
    window.doorward.kinds.browser = async (told, status) => {
      const signals = await collected(); // first: once the work begins, nothing else gets done in time
      return { ...(await window.doorward.kinds.work(told, status)), signals };
    };
  }
}
