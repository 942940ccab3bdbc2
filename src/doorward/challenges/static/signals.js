// The kind "browser": a proof of work, and what this browser says of itself. What is read here is weighed by the server
// against what it saw itself, and then dropped; nothing in it is meant to tell one person from another. Whatever cannot
// be read is sent as null. The same file is the worker that says how the browser looks from there.
"use strict";

{
  const worker = typeof document === "undefined";
  const self_url = worker ? "" : document.currentScript.src;
  const LONGEST_WAIT_MS = 1000;

  // Extensions put anything anywhere. The server takes nothing that is of another type or size than these.
  const text = (value, longest = 64) => (typeof value === "string" ? value.slice(0, longest) : null);
  const flag = (value) => (typeof value === "boolean" ? value : null);
  const whole = (value, most = 1000) => (Number.isInteger(value) && value >= 0 && value <= most ? value : null);
  const figures = (values, most) =>
    values.map((each) => (Number.isFinite(each) ? Math.max(-most, Math.min(most, Math.round(each))) : 0));

  const attempt = (read) => {
    try {
      const found = read();
      return found === undefined ? null : found;
    } catch {
      return null;
    }
  };

  const in_time = (promise) =>
    Promise.race([promise, new Promise((done) => setTimeout(done, LONGEST_WAIT_MS, null))]).catch(() => null);

  const hints = (from) => {
    const data = from.userAgentData;
    if (!data) return null;
    const brands = Array.from(data.brands).slice(0, 16);
    return {
      brands: brands.map(({ brand, version }) => [text(String(brand)), text(String(version), 32)]),
      mobile: Boolean(data.mobile),
      platform: text(String(data.platform)),
    };
  };

  const face = (from) => ({
    agent: attempt(() => text(from.userAgent, 2048)),
    platform: attempt(() => text(from.platform)),
    languages: attempt(() => Array.from(from.languages).slice(0, 64).map((each) => text(String(each)))),
    cores: attempt(() => whole(from.hardwareConcurrency, 4096)),
    hints: attempt(() => hints(from)),
  });

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

  const getter = (of, name) => (Object.getOwnPropertyDescriptor(of, name) || {}).get;

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
      other.onmessage = (event) => (other.terminate(), done(event.data));
      other.onerror = () => done(null);
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
    const lose = gl.getExtension("WEBGL_lose_context");
    if (lose) lose.loseContext();
    return { vendor: text(String(vendor), 200), renderer: text(String(renderer), 200) };
  };

  const memory = () => {
    const gigabytes = navigator.deviceMemory;
    return typeof gigabytes === "number" && gigabytes >= 0 && gigabytes <= 65536 ? gigabytes : null;
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
    const known = ["granted", "denied", "prompt", "default"];
    const told = { query: state, notification: Notification.permission };
    return Object.values(told).every((each) => known.includes(each)) ? told : null;
  };

  const collected = async () => {
    const frame = attempt(clean_frame);
    const clean = attempt(() => frame.contentWindow);
    const other = in_time(in_worker());
    const asked = in_time(permission());
    const signals = {
      ...face(navigator),
      vendor: attempt(() => text(navigator.vendor)),
      product: attempt(() => text(navigator.productSub, 32)),
      language: attempt(() => text(navigator.language)),
      frozen: attempt(() => Object.isFrozen(navigator.languages)),
      webdriver: attempt(() => flag(navigator.webdriver)),
      marks: attempt(marks),
      altered: attempt(() => altered(clean)),
      frame: attempt(() => frame_agrees(clean)),
      plugins: attempt(() => whole(navigator.plugins.length)),
      mimes: attempt(() => whole(navigator.mimeTypes.length)),
      arrays: attempt(() => navigator.plugins instanceof PluginArray && navigator.mimeTypes instanceof MimeTypeArray &&
        Array.from(navigator.plugins).every((each) => each instanceof Plugin)),
      pdf: attempt(() => flag(navigator.pdfViewerEnabled)),
      cookies: attempt(() => flag(navigator.cookieEnabled)),
      memory: attempt(memory),
      touch: attempt(() => whole(navigator.maxTouchPoints)),
      coarse: attempt(() => flag(matchMedia("(any-pointer: coarse)").matches)),
      screen: attempt(() =>
        figures([screen.width, screen.height, screen.availWidth, screen.availHeight, screen.colorDepth], 100000)),
      window: attempt(() => figures([innerWidth, innerHeight, outerWidth, outerHeight], 100000)),
      zone: attempt(() => text(Intl.DateTimeFormat().resolvedOptions().timeZone)),
      offsets: attempt(() => figures([new Date().getTimezoneOffset(), zone_offset()], 2000)),
      graphics: attempt(graphics),
      chrome: attempt(() => Boolean(window.chrome)),
      secure: attempt(() => flag(isSecureContext)),
      eval: attempt(() => whole(eval.toString().length, 100000)),
      stack: attempt(stack),
    };
    signals.worker = await other;
    signals.permission = await asked;
    attempt(() => frame.remove());
    return signals;
  };

  if (worker) {
    self.postMessage(face(navigator));
  } else {
    window.doorward.signals = collected;
    window.doorward.kinds.browser = async (told, status) => {
      const signals = await collected(); // first: once the work begins, nothing else gets done in time
      return { ...(await window.doorward.kinds.work(told, status)), signals };
    };
  }
}
