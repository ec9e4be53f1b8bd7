// SPDX-License-Identifier: Apache-2.0
// The dashboard is one that Grafana understands, and each panel can be read by a person.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { parse } from "yaml";

import { root, run, workspace } from "../e2e/support/processes.mjs";
import {
  checkExpressions,
  DASHBOARD,
  document,
  monitoring,
  panelsOf,
  queriesOf,
  readDashboard,
  text,
  withVariables,
} from "./support/prometheus.mjs";

const TIMEOUT = { timeout: 80_000, concurrency: true };
const dashboard = readDashboard();
const panels = panelsOf(dashboard);

// ---- types ---------------------------------------------------------------------

const PANEL_TYPES = {
  timeseries: "timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen",
  stat: "stat/panelcfg/x/StatPanelCfg_types.gen",
  heatmap: "heatmap/panelcfg/x/HeatmapPanelCfg_types.gen",
  table: "table/panelcfg/x/TablePanelCfg_types.gen",
  "state-timeline": "statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen",
};
const PLUGINS = "@grafana/schema/dist/esm/raw/composable";

// Grafana's Dashboard leaves a panel's options and queries open. Here each kind of panel has the
// options of its plugin, so that a misspelt one is an error and not a panel that ignores it.
const TYPES = `
import type { AnnotationQuery, Dashboard, DataQuery, FieldConfigSource, Panel, RowPanel,
  VariableModel } from "@grafana/schema";

// JSON has the values of an enum and not its names.
type Json<T> = T extends string ? \`\${T}\`
  : T extends number | boolean | null | undefined ? T
  : T extends (infer Item)[] ? Json<Item>[]
  : { [Key in keyof T]: Json<T[Key]> };
type CustomOf<Module> = Module extends { FieldConfig: infer Custom } ? Partial<Custom> : never;
interface PrometheusQuery extends DataQuery {
  expr: string; legendFormat: string; editorMode: "code";
  format?: "heatmap" | "table"; instant?: boolean; range?: boolean;
}
type Source<Custom> = Omit<FieldConfigSource, "defaults"> & {
  defaults: Omit<FieldConfigSource["defaults"], "custom"> & { custom?: Custom };
};
type Of<Type extends string, Options, Custom> =
  Omit<Panel, "type" | "options" | "targets" | "fieldConfig">
  & Required<Pick<Panel, "id" | "title" | "description" | "gridPos" | "datasource">>
  & { type: Type; options: Options; targets: PrometheusQuery[]; fieldConfig: Source<Custom> };
type Ours = Omit<Dashboard, "panels" | "annotations" | "templating"> & {
  panels: (Known | RowPanel)[];
  annotations: { list: AnnotationQuery<PrometheusQuery>[] };
  templating: { list: VariableModel[] };
};
`;

function typeScript(json) {
  const known = Object.entries(PANEL_TYPES).map(([type, path]) => {
    const module = `import("${PLUGINS}/${path}")`;
    // a stat has no settings of its own for its fields
    const custom = type === "stat" ? "never" : `Partial<${module}.FieldConfig>`;
    return `Of<"${type}", ${module}.Options, ${custom}>`;
  });
  return `${TYPES}type Known = ${known.join(" | ")};
const dashboard = ${json.trimEnd()} satisfies Json<Ours>;
export const forGrafana: Json<Dashboard> = dashboard;
`;
}

/** What TypeScript's strictest has to say: file -> lines. */
async function compile(sources) {
  const directory = mkdtempSync(join(workspace, "types-"));
  const files = Object.entries(sources).map(([name, json]) => {
    const path = join(directory, `${name}.ts`);
    writeFileSync(path, typeScript(json));
    return path;
  });
  const { stdout, stderr } = await run(process.execPath, [
    join(root, "node_modules/typescript/bin/tsc"),
    "--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "--pretty", "false",
    "--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext",
    ...files,
  ], { killAfter: 70_000 });
  assert.equal(stderr, "");
  return (name) => stdout.split("\n").filter((line) => line.includes(`${name}.ts(`));
}

describe("the dashboard's JSON", TIMEOUT, () => {
  const json = text(DASHBOARD);

  test("has Grafana's types, and mistakes in it would be found", async () => {
    const spoilt = {
      wrongPanel: json.replace('"type": "state-timeline"', '"type": "state-timelin"'),
      wrongOption: json.replace('"justifyMode": "auto"', '"justifyMode": "left"'),
      wrongName: json.replace('"lineWidth": 1', '"lineWith": 1'),
      wrongQuery: json.replace('"legendFormat"', '"legend"'),
      wrongVariable: json.replace('"type": "datasource"', '"type": "datasources"'),
    };
    for (const [name, one] of Object.entries(spoilt)) assert.notEqual(one, json, name);
    const errors = await compile({ shipped: json, ...spoilt });
    assert.deepEqual(errors("shipped"), []);
    for (const name of Object.keys(spoilt)) assert.ok(errors(name).length > 0, name);
  });

  test("is formed as Grafana exports it", () => {
    assert.equal(json, `${JSON.stringify(dashboard, null, 2)}\n`);
  });

  test("belongs to no server: its id is open, its uid and data source are ours", () => {
    assert.equal(dashboard.id, null);
    assert.equal(dashboard.uid, "super-relay");
    const sources = panels.flatMap((panel) => [panel, ...panel.targets]);
    for (const { datasource } of sources)
      assert.deepEqual(datasource, { type: "prometheus", uid: "${datasource}" });
  });
});

// ---- what a person sees -----------------------------------------------------------

const overlap = (a, b) =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

describe("the panels", TIMEOUT, () => {
  test("have numbers and titles of their own, a description and a unit", () => {
    const ids = dashboard.panels.map(({ id }) => id);
    const titles = panels.map(({ title }) => title);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(new Set(titles).size, titles.length);
    for (const { title, description, fieldConfig, targets } of panels) {
      assert.match(description, /^[A-Z\d/].*\.$/, title);
      assert.ok(fieldConfig.defaults.unit, title);
      assert.ok(fieldConfig.defaults.thresholds.steps.length > 0, title);
      assert.equal(fieldConfig.defaults.thresholds.steps[0].value, null, title);
      assert.ok(targets.length > 0, title);
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
    }
  });

  test("stand in rows, within the 24 columns, and none covers another", () => {
    assert.equal(dashboard.panels[0].type, "row");
    for (const [index, panel] of dashboard.panels.entries()) {
      const { x, w } = panel.gridPos;
      assert.ok(x >= 0 && w > 0 && x + w <= 24, panel.title);
      for (const other of dashboard.panels.slice(index + 1))
        assert.ok(!overlap(panel.gridPos, other.gridPos), `${panel.title}, ${other.title}`);
    }
  });

  test("are numbered by their row", () => {
    let row;
    for (const { type, id, title } of dashboard.panels) {
      if (type === "row") row = id;
      assert.equal(row % 100, 0, title);
      assert.equal(Math.floor(id / 100) * 100, row, title);
    }
  });

  test("are explained in monitoring.md, each in the order and under the title of its row", () => {
    const [, section] = document("monitoring.md").split(/^## The panels\n/m);
    const lines = /^(?:### (.*)|\| (?!Panel |---)([^|]+) \|)/gm;
    const written = [...section.split(/^## /m)[0].matchAll(lines)];
    const explained = written.map(([, row, panel]) => row ?? panel);
    assert.deepEqual(explained, dashboard.panels.map(({ title }) => title));
  });
});

describe("the queries", TIMEOUT, () => {
  const queries = queriesOf(dashboard);

  test("are PromQL", async () => {
    assert.equal(await checkExpressions(queries.map(({ expr }) => withVariables(expr))), "");
    assert.notEqual(await checkExpressions(["sum by (x (up)"]), "", "the check can fail");
  });

  test("leave no variable of Grafana's unknown", () => {
    for (const { title, expr } of queries)
      assert.doesNotMatch(withVariables(expr), /\$/, title);
  });

  test("choose job and instance, and nothing by a fixed name of either", () => {
    const selector = /(?<![\w:])((?:\w+:)?(?:superrelay|process)_[\w:]+|up\b)(\{[^}]*\})?/g;
    const ours = /^\{job=~"\$job",instance=~"\$instance"/;
    for (const { title, expr } of queries)
      for (const [, name, labels] of expr.matchAll(selector))
        assert.match(labels ?? "", ours, `${title}: ${name}`);
  });

  test("take rates over the interval that fits the resolution", () => {
    for (const { title, expr } of queries)
      for (const [, range] of expr.matchAll(/\b(?:rate|increase|irate)\([^[]*\[([^\]]*)\]/g))
        assert.equal(range, "$__rate_interval", title);
  });
});

describe("Grafana's provisioning", TIMEOUT, () => {
  const directory = monitoring("grafana/provisioning");
  const files = (kind) =>
    readdirSync(join(directory, kind)).map((name) =>
      parse(readFileSync(join(directory, kind, name), "utf8")),
    );

  test("names a data source of the dashboard's type, with the scrape interval", () => {
    const scrape = parse(text(monitoring("prometheus/prometheus.yml"))).global.scrape_interval;
    const [{ apiVersion, datasources }] = files("datasources");
    assert.equal(apiVersion, 1);
    assert.equal(datasources.length, 1);
    assert.equal(datasources[0].type, "prometheus");
    assert.match(datasources[0].url, /^http:\/\/127\.0\.0\.1:/);
    assert.equal(datasources[0].jsonData.timeInterval, scrape);
  });

  test("reads dashboards from where monitoring.md puts ours", () => {
    const [{ apiVersion, providers }] = files("dashboards");
    assert.equal(apiVersion, 1);
    assert.equal(providers.length, 1);
    assert.equal(providers[0].type, "file");
    assert.ok(document("monitoring.md").includes(
      `${providers[0].options.path} monitoring/grafana/super-relay.json`,
    ));
  });
});
