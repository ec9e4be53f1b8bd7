// SPDX-License-Identifier: Apache-2.0
// Rules and dashboard, the runbook, and what is written of metrics and monitoring say the same.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { parse } from "yaml";

import { root, run } from "../e2e/support/processes.mjs";
import { binary } from "../e2e/support/relay.mjs";
import {
  document,
  documentedMetrics,
  metricsOf,
  panelsOf,
  queriesOf,
  readDashboard,
  readRules,
  RULES,
  text,
} from "./support/prometheus.mjs";

const TIMEOUT = { timeout: 30_000, concurrency: true };

const { alerts, records } = readRules();
const names = alerts.map(({ alert }) => alert);

describe("the runbook", TIMEOUT, () => {
  const sections = document("runbook.md").split(/^## /m).slice(1);
  const entries = new Map(
    sections
      .map((section) => [/^.*/.exec(section)[0], section])
      .filter(([title]) => title.startsWith("SuperRelay")),
  );
  const PARTS = ["Means", "Urgency", "Look", "Do", "Do not"];

  test("has an entry for each alert, and none for what is no alert", () => {
    assert.deepEqual([...entries.keys()].sort(), [...names].sort());
  });

  test("says of each its meaning, how urgent it is, where to look, what to do and what not", () => {
    for (const [name, entry] of entries) {
      const parts = [...entry.matchAll(/^\*\*([\w ]+)\.\*\*/gm)].map(([, part]) => part);
      assert.deepEqual(parts, PARTS, name);
    }
  });

  test("calls urgent what pages, and nothing else", () => {
    for (const { alert, labels } of alerts) {
      const [, urgency] = /^\*\*Urgency\.\*\* (\w+)/m.exec(entries.get(alert));
      assert.equal(urgency.toLowerCase(), labels.severity, alert);
    }
  });

  test("speaks of panels and metrics that there are", () => {
    const titles = panelsOf(readDashboard()).map(({ title }) => title);
    const elsewhere = ["Status, Targets"];
    for (const [name, entry] of entries) {
      for (const [, title] of entry.replace(/`[^`]*`|\*\*[^*]*\*\*/g, "").matchAll(/\*([^*]+)\*/g))
        assert.ok([...titles, ...elsewhere].includes(title), `*${title}* in ${name}`);
      for (const metric of entry.match(/\bsuperrelay_\w+/g) ?? [])
        assert.ok(documentedMetrics().has(metric), `${metric} in ${name}`);
    }
  });

  test("gives commands that there are, with options that they take", async () => {
    const given = document("runbook.md").match(/(?<=`|\n|super-relay )super-relay [a-z][^`\n|#]*/g);
    const helps = new Map();
    assert.ok(given.length > 10);
    for (const command of new Set(given)) {
      const [, name, ...words] = command.trim().split(/\s+/);
      if (!helps.has(name)) helps.set(name, (await run(binary, [name, "--help"])).stdout);
      for (const word of words.filter((each) => /^(?:--|[a-z]+$)/.test(each)))
        assert.match(helps.get(name), new RegExp(`(?<![\\w-])${word}\\b`), command);
    }
  });

  test("lists every alert in its table, with its severity", () => {
    const rows = document("runbook.md").matchAll(/^\| \[(\w+)\]\(#(\w+)\) \| (\w+) \|/gm);
    const listed = [...rows].map(([, name, anchor, severity]) => ({ name, anchor, severity }));
    const expected = alerts.map(({ alert, labels }) => ({
      name: alert,
      anchor: alert.toLowerCase(),
      severity: labels.severity,
    }));
    assert.deepEqual(listed, expected);
  });
});

describe("metrics.md", TIMEOUT, () => {
  const documented = documentedMetrics();
  const recorded = new Set(records.map(({ record }) => record));
  const PROMETHEUS_OWN = ["up", "ALERTS"];
  const expressions = [
    ...alerts.map(({ expr }) => expr),
    ...records.map(({ expr }) => expr),
    ...queriesOf(readDashboard()).map(({ expr }) => expr),
  ];
  const base = (name) => {
    const [, histogram] = /^(.*)_(?:bucket|sum|count)$/.exec(name) ?? [];
    return documented.get(histogram)?.type === "histogram" ? histogram : name;
  };
  const isKnown = (name) => documented.has(base(name)) || PROMETHEUS_OWN.includes(name);

  test("documents every metric that rules and dashboard use", () => {
    assert.ok(documented.size > 20, "the table is read");
    for (const expr of expressions) {
      const bare = [...recorded].reduce((rest, name) => rest.replaceAll(name, ""), expr);
      for (const name of metricsOf(bare))
        assert.ok(isKnown(name), `${name} in ${expr}`);
    }
  });

  test("documents nothing that the dashboard leaves out without a word", () => {
    const shown = queriesOf(readDashboard()).flatMap(({ expr }) => [...metricsOf(expr)].map(base));
    const [, leftOut] = /^## Not on the dashboard\n(.*?)(?=^## |$(?![\r\n]))/ms
      .exec(document("monitoring.md")) ?? [undefined, ""];
    for (const name of documented.keys())
      assert.ok(shown.includes(name) || leftOut.includes(`\`${name}\``), name);
  });

  test("knows the labels by which rules and dashboard choose", () => {
    const ofPrometheus = ["job", "instance", "le", "alertname", "alertstate", "severity"];
    for (const expr of expressions) {
      for (const [, name, matchers] of expr.matchAll(/\b([a-z][\w:]+)\{([^}]*)\}/g)) {
        const own = recorded.has(name)
          ? name.split(":")[0].split("_")
          : documented.get(base(name))?.labels ?? [];
        for (const [, label] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g))
          assert.ok([...ofPrometheus, ...own].includes(label), `${label} of ${name}`);
      }
    }
  });
});

describe("monitoring.md", TIMEOUT, () => {
  const page = document("monitoring.md");
  const blocks = [...page.matchAll(/^```(?<kind>\w*)\n(?<body>.*?)^```/gms)].map(
    ({ groups }) => groups,
  );

  test("makes a PrometheusRule of the very rules", async () => {
    const { body } = blocks.find((block) => block.body.includes("PrometheusRule"));
    const script = body.replace(/kubectl apply -f -/, "cat");
    assert.notEqual(script, body);
    const { status, stdout, stderr } = await run("bash", ["-euc", script]);
    assert.equal(status, 0, stderr);
    const { kind, metadata, spec } = parse(stdout);
    assert.equal(kind, "PrometheusRule");
    assert.equal(metadata.name, "super-relay");
    assert.deepEqual(spec, parse(text(RULES)));
  });

  test("gives paths that are there", () => {
    const paths = page.match(/\bmonitoring\/[\w./-]+\w/g);
    assert.ok(paths.length > 5);
    for (const path of paths) assert.ok(existsSync(join(root, path)), path);
  });

  test("lists for adapting each threshold that the rules call adaptable", () => {
    const adaptable = [...text(RULES).matchAll(/# Adapt [^]*?- alert: (\w+)/g)];
    const [, section] = page.split(/^## What to adapt\n/m);
    assert.ok(adaptable.length > 4);
    for (const [, name] of adaptable) assert.match(section, new RegExp(`^\\| ${name}\\b`, "m"));
  });

  test("shows Alertmanager's routes by the severities that there are", () => {
    const { route, inhibit_rules: [inhibition] } = parse(
      blocks.find(({ kind }) => kind === "yaml").body,
    );
    assert.deepEqual(route.routes.map(({ matchers }) => matchers), [['severity="page"']]);
    assert.ok(names.includes(/"(\w+)"/.exec(inhibition.source_matchers[0])[1]));
  });
});
