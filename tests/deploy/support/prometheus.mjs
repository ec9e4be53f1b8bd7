// SPDX-License-Identifier: Apache-2.0
// Debian's promtool and prometheus, and what stands in monitoring/ in the forms that tests need.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { parse, stringify } from "yaml";

import { freePort, launch, root, run, until, workspace } from "../../e2e/support/processes.mjs";

const tool = (name) => join(root, "build/tools/bin", name);

export const monitoring = (path) => join(root, "monitoring", path);
export const RULES = monitoring("prometheus/super-relay.rules.yml");
export const CONFIG = monitoring("prometheus/prometheus.yml");
export const DASHBOARD = monitoring("grafana/super-relay.json");

export const text = (path) => readFileSync(path, "utf8");
export const document = (name) => text(join(root, "docs", name));

/** promtool, run to its end. */
export const promtool = (args, options) =>
  run(tool("promtool"), args, { killAfter: 60_000, ...options });

/** A file of the test's own. */
export function scratchFile(name, content) {
  const path = join(mkdtempSync(join(workspace, "file-")), name);
  writeFileSync(path, content);
  return path;
}

// ---- rules -------------------------------------------------------------------

/** The rules: alerts ({ alert, expr, labels, … }) and recorded series ({ record, expr }). */
export function readRules() {
  const { groups } = parse(text(RULES));
  const rules = groups.flatMap((group) => group.rules);
  return {
    groups,
    alerts: rules.filter((rule) => rule.alert),
    records: rules.filter((rule) => rule.record),
  };
}

/** promtool's word on expressions, as recording rules. Returns what it has against them. */
export async function checkExpressions(expressions) {
  const rules = expressions.map((expr, index) => ({ record: `expression:number:${index}`, expr }));
  const path = scratchFile("expressions.yml", stringify({ groups: [{ name: "all", rules }] }));
  const { status, stdout, stderr } = await promtool(["check", "rules", path]);
  return status === 0 ? "" : stdout + stderr;
}

// Quoted texts and what stands in brackets count as one piece each.
function* pieces(expression) {
  const pattern = /"(?:\\.|[^"\\])*"|[()[\]{}]|[\w:.$]+|[<>=!]=?|\s+|./gs;
  let depth = 0;
  for (const [piece] of expression.matchAll(pattern)) {
    if (/[([{]/.test(piece) && piece.length === 1) depth++;
    yield { piece, inner: depth > 0 };
    if (/[)\]}]/.test(piece) && piece.length === 1) depth--;
  }
}

const JOINS = /^(?:and|or|unless|[<>]=?|[=!]=)$/;
const MATCHING = /^\s*(?:bool\s+)?(?:(?:on|ignoring)\s*\([^)]*\))?/;
const WRAPPED = /^(?:absent)?\s*\((.*)\)$/s;

/**
 * The vectors that an alert's expression compares and joins, without what they are compared with:
 * an alert that does not fire has no value, and its vectors have.
 */
export function operands(expression) {
  const found = [""];
  for (const { piece, inner } of pieces(expression)) {
    if (!inner && JOINS.test(piece)) found.push("");
    else found[found.length - 1] += piece;
  }
  const parts = found.map((part, i) => (i ? part.replace(MATCHING, "") : part).trim());
  if (parts.length > 1) return parts.flatMap(operands);
  const [, within] = WRAPPED.exec(parts[0]) ?? [];
  // the brackets of "(a) / (b)" are not one pair
  if (within !== undefined && balanced(within)) return operands(within);
  return /[A-Za-z]/.test(parts[0]) ? parts : [];
}

function balanced(expression) {
  let depth = 0;
  for (const bracket of expression.match(/[()]/g) ?? []) {
    depth += bracket === "(" ? 1 : -1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/** The metrics that an expression names. */
export function metricsOf(expression) {
  const bare = expression.replace(/"(?:\\.|[^"\\])*"/g, "").replace(/\{[^}]*\}/g, "{}");
  return new Set(bare.match(/\b(?:superrelay|process)_\w+|\bup\b|\bALERTS\b/g) ?? []);
}

// ---- dashboard ---------------------------------------------------------------

export const readDashboard = () => JSON.parse(text(DASHBOARD));

/** The panels that show something, those in folded rows too. */
export const panelsOf = ({ panels }) =>
  panels.flatMap((panel) => (panel.type === "row" ? panel.panels : [panel]));

/** What the dashboard asks of Prometheus: { title, expr }. */
export function queriesOf(dashboard) {
  const shown = panelsOf(dashboard).flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ title, expr })),
  );
  const marks = dashboard.annotations.list
    .filter(({ target }) => target?.expr)
    .map(({ name, target }) => ({ title: `annotation ${name}`, expr: target.expr }));
  return [...shown, ...marks];
}

/** As Grafana would send it: all jobs and instances, rates over the given time. */
export const withVariables = (expr, rateInterval = "1m") =>
  expr
    .replaceAll("$__rate_interval", rateInterval)
    .replaceAll("$job", "super-relay")
    .replaceAll("$instance", ".+");

// ---- documented metrics --------------------------------------------------------

/** docs/metrics.md's table: name -> { type, labels }. */
export function documentedMetrics() {
  const rows = document("metrics.md").matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*) \|/gm);
  return new Map(
    [...rows].map(([, name, type, labels]) => [
      name,
      { type, labels: labels.match(/\w+(?=`)/g) ?? [] },
    ]),
  );
}

// ---- a Prometheus ---------------------------------------------------------------

const besideConfig = (name) => monitoring(`prometheus/${name}`);
const WITHIN = 20_000;
const ATTEMPTS = 3;

/** The rules as a file of the test's own, whose alerts fire at once. */
export function impatientRules() {
  const { groups } = parse(text(RULES));
  for (const rule of groups.flatMap((group) => group.rules)) delete rule.for;
  return scratchFile("impatient.rules.yml", stringify({ groups }));
}

/** The shipped configuration and rules, for these targets; seconds apart, and nobody told. */
function ourConfig(targets, rules) {
  const config = parse(text(CONFIG));
  const job = config.scrape_configs.find(({ job_name: name }) => name === "super-relay");
  delete config.alerting;
  Object.assign(config.global, { scrape_interval: "1s", evaluation_interval: "1s" });
  config.rule_files = rules ? [rules] : config.rule_files.map(besideConfig);
  job.static_configs = [{ targets }];
  config.scrape_configs = [job];
  return config;
}

/** Its address, once it answers. */
async function serve(targets, rules) {
  const data = mkdtempSync(join(workspace, "prometheus-"));
  const config = scratchFile("prometheus.yml", stringify(ourConfig(targets, rules)));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = launch("prometheus", tool("prometheus"), [
    `--config.file=${config}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--log.level=warn",
  ]);
  await until("Prometheus is ready", async () => {
    if (!child.running) throw new Error(`Prometheus has ended: ${child.output()}`);
    return fetch(`${url}/-/ready`).then(({ ok }) => ok, () => false);
  }, { within: WITHIN });
  return url;
}

// A free port may have been taken in between.
async function serveSomewhere(targets, rules) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await serve(targets, rules);
    } catch (error) {
      if (attempt === ATTEMPTS || !/address already in use/.test(error.message)) throw error;
    }
  }
}

/** Starts a Prometheus that scrapes these targets every second. rules: a file in place of ours. */
export async function startPrometheus(targets, rules) {
  const url = await serveSomewhere(targets, rules);

  async function ask(path, parameters = {}) {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const answer = await response.json();
    if (answer.status !== "success") throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  }
  return {
    ask,
    /** An instant query: [{ metric, value }], value a number. */
    async query(query) {
      const { resultType, result } = await ask("query", { query });
      const samples = resultType === "scalar" ? [{ metric: {}, value: result }] : result;
      return samples.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
  };
}
