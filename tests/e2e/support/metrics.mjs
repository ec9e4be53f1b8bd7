// SPDX-License-Identifier: Apache-2.0
// The metrics page as a scraper reads it, strictly; and what docs/metrics.md says of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { root } from "./processes.mjs";

const SAMPLE = /^([a-z_]+)(?:\{(.*)\})? (\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;
const LABEL = /([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

function readLabels(text) {
  const labels = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const found = LABEL.exec(text);
    assert.ok(found, `no labels: ${text}`);
    assert.ok(!(found[1] in labels), `twice: ${found[1]} in ${text}`);
    labels[found[1]] = found[2];
  }
  return labels;
}

/** A family's samples must follow its HELP and TYPE, and bear its name. */
function addSample(family, line) {
  const [, name, labelText, value] = SAMPLE.exec(line) ?? assert.fail(`no sample: ${line}`);
  const suffixes = family?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  assert.ok(
    suffixes.some((suffix) => name === family?.name + suffix),
    `${line} stands among the lines of ${family?.name}`,
  );
  family.samples.push({ name, labels: readLabels(labelText ?? ""), value: Number(value) });
}

/** The page as families: name -> { name, help, type, samples: [{ name, labels, value }] }. */
export function parseMetrics(text) {
  const families = new Map();
  const seen = new Set();
  let family;
  let help;

  assert.ok(text.endsWith("\n"));
  for (const line of text.slice(0, -1).split("\n")) {
    const meta = /^# (HELP|TYPE) ([a-z_]+) (\S.*)$/.exec(line);
    if (meta?.[1] === "HELP") {
      assert.ok(!help, `HELP without TYPE before ${line}`);
      help = meta;
    } else if (meta) {
      assert.equal(help?.[2], meta[2], `TYPE without HELP: ${line}`);
      assert.ok(!families.has(meta[2]), `declared twice: ${meta[2]}`);
      assert.match(meta[3], /^(counter|gauge|histogram)$/);
      family = { name: meta[2], help: help[3], type: meta[3], samples: [] };
      families.set(family.name, family);
      help = undefined;
    } else {
      const series = line.slice(0, line.lastIndexOf(" "));
      assert.ok(!seen.has(series), `twice: ${series}`);
      seen.add(series);
      addSample(family, line);
    }
  }
  return families;
}

const matches = (labels, wanted) =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value);

/** One scrape. value: of the one sample with these labels; sum: of all that have them. */
export class Scrape {
  constructor(text) {
    this.families = parseMetrics(text);
  }

  samples(name, wanted = {}) {
    const family =
      this.families.get(name) ?? this.families.get(name.replace(/_(bucket|sum|count)$/, ""));
    return (family?.samples ?? []).filter(
      (sample) => sample.name === name && matches(sample.labels, wanted),
    );
  }

  value(name, wanted = {}) {
    const found = this.samples(name, wanted);
    assert.equal(found.length, 1, `${name} ${JSON.stringify(wanted)}: ${found.length} samples`);
    return found[0].value;
  }

  sum(name, wanted = {}) {
    return this.samples(name, wanted).reduce((sum, { value }) => sum + value, 0);
  }

  /** Whether the only sample with these labels has this value; false when there is none. */
  says(name, wanted, value) {
    return this.samples(name, wanted).length === 1 && this.value(name, wanted) === value;
  }
}

export const scrape = async (relay) =>
  new Scrape(await (await fetch(`${relay.apiUrl}/metrics`)).text());

/** What doing something adds to sums of samples; every sum of which there is none yet is 0. */
export async function added(relay, what) {
  const before = await scrape(relay);
  await what();
  const after = await scrape(relay);
  return (name, wanted) => after.sum(name, wanted) - before.sum(name, wanted);
}

/* ---- the document ------------------------------------------------------------------ */

const ticked = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word);

/** The rows of the table whose header begins with these columns, as arrays of cells. */
function table(text, ...columns) {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${columns.join(" | ")} |`));
  assert.ok(start >= 0, `no table ${columns}`);
  const end = lines.findIndex((line, at) => at > start && !line.startsWith("|"));
  return lines.slice(start + 2, end).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

/** docs/metrics.md: its families, its closed sets of label values, decisions and components. */
export function readDocument() {
  const text = readFileSync(join(root, "docs/metrics.md"), "utf8");

  return {
    text,
    families: table(text, "Name", "Type", "Labels", "Meaning").map((cells) => ({
      name: ticked(cells[0])[0],
      type: cells[1],
      labels: ticked(cells[2]),
      meaning: cells[3],
    })),
    labels: table(text, "Label", "Of", "Values").map((cells) => ({
      label: ticked(cells[0])[0],
      family: ticked(cells[1])[0],
      values: ticked(cells[2]),
    })),
    decisions: table(text, "`decision`", "`reason`").map((cells) =>
      cells.slice(0, 2).map((cell) => ticked(cell)[0]),
    ),
    components: table(text, "`component`").map((cells) => ticked(cells[0])[0]),
  };
}
