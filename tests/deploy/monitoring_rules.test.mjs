// SPDX-License-Identifier: Apache-2.0
// The rules are sound, and each alert fires when it should, says what it has to say, and is quiet
// when it should be.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { parse, stringify } from "yaml";

import { workspace } from "../e2e/support/processes.mjs";
import {
  CONFIG,
  monitoring,
  operands,
  promtool,
  readRules,
  RULES,
  text,
} from "./support/prometheus.mjs";

const TESTS = monitoring("prometheus/super-relay.test.yml");
const TIMEOUT = { timeout: 80_000, concurrency: true };

const { groups, alerts, records } = readRules();
const names = alerts.map(({ alert }) => alert);
const cases = parse(text(TESTS)).tests;

async function promtoolSays(args, expected = 0) {
  const { status, stdout, stderr } = await promtool(args);
  assert.equal(status, expected, stdout + stderr);
  return stdout + stderr;
}

/** The names that a test of promtool's expects to fire, and to be quiet. */
const firesIn = ({ promql_expr_test: list = [] }) =>
  list.filter(({ exp_samples: samples }) => samples?.length)
    .map(({ expr }) => /alertname="(\w+)"/.exec(expr)?.[1]);
const quietIn = ({ alert_rule_test: list = [] }) =>
  list.filter(({ exp_alerts: expected }) => expected.length === 0)
    .map(({ alertname }) => alertname);

describe("the rules", TIMEOUT, () => {
  test("are clean under every lint of promtool's", () =>
    promtoolSays(["check", "rules", "--lint=all", "--lint-fatal", RULES]));

  test("do what their tests say", () => promtoolSays(["test", "rules", TESTS]));

  test("are found by the configuration beside them", () =>
    promtoolSays(["check", "config", CONFIG]));

  test("have a test that lets each alert fire, and one in which it is quiet", () => {
    const fire = new Set(cases.flatMap(firesIn));
    const quiet = new Set(cases.flatMap(quietIn));
    assert.deepEqual(names.filter((name) => !fire.has(name)), []);
    assert.deepEqual(names.filter((name) => !quiet.has(name)), []);
    assert.deepEqual([...fire, ...quiet].filter((name) => !names.includes(name)), []);
  });

  test("have alerts of distinct names, with severity, texts and a place in the runbook", () => {
    assert.equal(new Set(names).size, names.length);
    for (const { alert, labels, annotations } of alerts) {
      assert.match(alert, /^SuperRelay[A-Z]\w+$/);
      assert.deepEqual(Object.keys(labels), ["severity"], alert);
      assert.match(labels.severity, /^(?:page|ticket)$/, alert);
      assert.deepEqual(Object.keys(annotations), ["summary", "description", "runbook_url"], alert);
      assert.equal(annotations.runbook_url, `docs/runbook.md#${alert.toLowerCase()}`);
      assert.ok(annotations.summary.length <= 90, `${alert}: the summary is for a pager`);
      assert.match(annotations.description, /\.$/, alert);
    }
  });

  test("record what an alert uses, and nothing else", () => {
    const used = alerts.map(({ expr }) => expr).join("\n");
    for (const { record } of records) assert.ok(used.includes(record), record);
  });
});

// promtool prints what fired where nothing was expected: so the texts are seen as people get them.
async function renderedAlerts() {
  const directory = mkdtempSync(join(workspace, "rendered-"));
  const tests = cases.flatMap((one) =>
    (one.promql_expr_test ?? []).map(({ expr, eval_time: time }) => ({
      interval: one.interval,
      input_series: one.input_series,
      alert_rule_test: [
        { alertname: /alertname="(\w+)"/.exec(expr)[1], eval_time: time, exp_alerts: [] },
      ],
    })),
  );
  const whole = { ...parse(text(TESTS)), rule_files: ["rules.yml"], tests };
  cpSync(RULES, join(directory, "rules.yml"));
  writeFileSync(join(directory, "test.yml"), stringify(whole));
  const said = await promtoolSays(["test", "rules", join(directory, "test.yml")], 1);
  return said.split(/\n\s+alertname: /).slice(1);
}

const BROKEN = /<error|<no value>|\{\{|%!|NaN|Inf/;
/** Too exact, in powers of ten, or in thousands and thousandths. */
const UNREADABLE = /\d\.\d{4}|\de[+-]\d|\d[unk] |\dm [A-Z]/;
/** Where a label stood that the alert does not have. */
const HOLE = / {2}|^ | $| [.,:;]/;

describe("an alert's texts", TIMEOUT, () => {
  test("reach the reader whole: every name, and numbers as people write them", async () => {
    const rendered = await renderedAlerts();
    const seen = new Set(rendered.map((one) => /^\w+/.exec(one)[0]));
    assert.deepEqual(names.filter((name) => !seen.has(name)), []);
    for (const one of rendered) {
      const annotations = one.match(/Annotations:\{.*\}/g).join();
      const values = [...annotations.matchAll(/\w+="((?:\\.|[^"])*)"/g)].map(([, value]) => value);
      assert.ok(values.length > 0 && values.length % 3 === 0, one);
      for (const value of values) {
        for (const fault of [BROKEN, UNREADABLE, HOLE]) assert.doesNotMatch(value, fault, one);
      }
    }
  });
});

describe("an alert's expression", TIMEOUT, () => {
  test("is taken apart into its vectors", () => {
    const whole = '(a{x="and"} > 0.5 and on (job) b unless (c / d) >= bool 2) or absent(up)';
    assert.deepEqual(operands(whole), ['a{x="and"}', "b", "c / d", "up"]);
    assert.deepEqual(operands("(a) / (b) > 1"), ["(a) / (b)"]);
    for (const { alert, expr } of alerts) assert.ok(operands(expr).length > 0, alert);
  });

  test("stands in a group of its kind, which its tests evaluate in the file's order", () => {
    const titles = groups.map(({ name }) => name);
    for (const title of titles) assert.match(title, /^super-relay\.[a-z]+$/);
    assert.deepEqual(parse(text(TESTS)).group_eval_order, titles);
  });
});
