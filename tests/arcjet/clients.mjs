// The plan on standard input, done with Arcjet's SDK for Node: a line of JSON for each call. $ARCJET_SERVICE is the
// service; the SDK's own variable takes no address but its maker's.
import { readFileSync } from "node:fs";
import arcjet, * as sdk from "@arcjet/node";

// Where the SDK leaves its reports, as on platforms that end a process with its last answer.
const reports = [];
globalThis[Symbol.for("@vercel/request-context")] = {
  get: () => ({ waitUntil: (report) => reports.push(report) }),
};

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
const BUILDERS = { detect_sensitive_info: sdk.sensitiveInfo, filter_request: sdk.filter };

function renamed(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [camel(name), renamed(inner)]));
}

function ruleOf([name, options]) {
  const builder = BUILDERS[name] ?? sdk[camel(name)];
  return builder(renamed(name === "protect_signup" ? options : { mode: "LIVE", ...options }));
}

function requestOf(step) {
  const { headers, path, query } = step;
  return { method: "POST", url: query ? `${path}?${query}` : path, headers, socket: {} };
}

function told(step, decision) {
  const results = decision.results.map((result) => ({
    id: result.ruleId,
    state: result.state,
    conclusion: result.conclusion,
    reason: result.reason.type ?? null,
    fingerprint: result.fingerprint,
  }));
  const { id, conclusion, ttl, reason } = decision;
  const country = decision.ip?.hasCountry() ? decision.ip.country : null;
  const why = JSON.stringify(reason);
  console.log(JSON.stringify({ step: step.name, id, conclusion, reason: reason.type ?? null, why, ttl, country, results }));
}

const warnings = { debug() {}, info() {}, warn() {}, error: (...words) => console.error(...words) };

for (const step of JSON.parse(readFileSync(0, "utf8"))) {
  const client = sdk.createRemoteClient({ baseUrl: process.env.ARCJET_SERVICE, timeout: 10_000 });
  const { characteristics } = step;
  const rules = step.rules.map(ruleOf);
  const aj = arcjet({ key: process.env.ARCJET_KEY, client, log: warnings, characteristics, rules });
  for (const call of step.calls) {
    told(step, await aj.protect(requestOf(step), { ipSrc: step.ip, ...renamed(call) }));
  }
  await Promise.all(reports.splice(0));
}
console.log("end");
process.exit(0); // connections to the service are kept for minutes
