// SPDX-License-Identifier: Apache-2.0
// Reads the layer's recipes as far as its tests need: assignments, functions, what is required, and
// variables put into each other. bitbake itself is not to be had from Debian.
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";

import { root } from "../../e2e/support/processes.mjs";

export const layer = join(root, "meta-superrelay");

/** The override by which the layer changes the i.MX 93 and nothing else. */
export const BOARD = "mx93-nxp-bsp";

const ASSIGNMENT =
  /^(?:export )?([\w${}:.+-]+?)(\[[a-z0-9-]+\])?\s*(\?\?=|\?=|:=|\+=|=\+|\.=|=\.|=)\s*"(.*)"$/;
const FUNCTION = /^(python )?([a-z_0-9]+)((?::[a-z0-9-]+)*)\(\) \{$/;

/** Paths below the layer of all files whose name ends so. */
export const filesOf = (...endings) =>
  readdirSync(layer, { recursive: true })
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .sort();

export const readLayer = (path) => readFileSync(join(layer, path), "utf8");

/** Lines with those put together that end in a backslash; functions keep theirs. */
function statements(text) {
  const out = [];
  let lines = text.split("\n");
  while (lines.length > 0) {
    let [line] = lines;
    let taken = 1;
    if (FUNCTION.test(line)) {
      taken = lines.indexOf("}") + 1;
      line = lines.slice(0, taken).join("\n");
    } else if (!line.startsWith("#")) {
      while (line.endsWith("\\")) line = `${line.slice(0, -1)} ${lines[taken++].trim()}`;
    }
    out.push(line);
    lines = lines.slice(taken);
  }
  return out;
}

/**
 * What a recipe, an append or a configuration says, in order: { variable, flag, operator, value },
 * { name, overrides, body }, { inherits } or { requires }. A line of another kind is an error.
 */
export function parse(path, text = readLayer(path)) {
  const out = [];
  for (const line of statements(text)) {
    if (/^(#.*|\s*)$/.test(line)) continue;
    const [head] = line.split("\n");
    const assignment = ASSIGNMENT.exec(line);
    const called = FUNCTION.exec(head);
    const command = /^(inherit|require) (.+)$/.exec(line);
    if (assignment) {
      const [, variable, flag, operator, value] = assignment;
      out.push({ variable, flag: flag?.slice(1, -1), operator, value });
    } else if (called) {
      const body = line.split("\n").slice(1, -1).join("\n");
      out.push({ name: called[2], overrides: called[3].split(":").slice(1), body });
    } else if (command?.[1] === "inherit") out.push({ inherits: command[2].split(" ") });
    else if (command) out.push({ requires: command[2] });
    else throw new Error(`${path}: not understood: ${line}`);
  }
  return out;
}

/** Where a required file lies: beside its recipe, or in the layer. */
function requiredPath(from, name) {
  const beside = join(from, "..", name);
  return filesOf("").includes(beside) ? beside : name;
}

/** The same with what the file requires in its place. */
export function parseWhole(path) {
  return parse(path).flatMap((item) =>
    item.requires ? parseWhole(requiredPath(path, item.requires)) : [item],
  );
}

const words = (text) => text.split(/\s+/).filter(Boolean);

/** A recipe as bitbake sees it, on the i.MX 93 or on a machine that the layer does not know. */
export class Recipe {
  constructor(path, { board = true } = {}) {
    const [, name, version] = /^(.*?)(?:_(.*))?\.bb(?:append)?$/.exec(basename(path));
    this.overrides = ["${PN}", ...(board ? [BOARD] : [])];
    this.items = [...parseWhole("conf/superrelay.conf"), ...parseWhole(path)];
    this.known = { PN: name, BPN: name, PV: version ?? "1.0", BP: `${name}-${version ?? "1.0"}` };
  }

  /** The words of a variable after all that is assigned, appended and removed. */
  words(variable) {
    let value = [];
    const late = { append: [], prepend: [], remove: [] };
    for (const item of this.items) {
      const [base, ...rest] = (item.variable ?? "").split(":");
      if (base !== variable || item.flag) continue;
      const verb = rest.find((part) => part in late);
      const conditions = rest.filter((part) => part !== verb);
      if (!conditions.every((part) => this.overrides.includes(part))) continue;
      if (verb) late[verb].push(...words(item.value));
      else if (["+=", "=+", ".=", "=."].includes(item.operator)) value.push(...words(item.value));
      else if (!item.operator.startsWith("?") || value.length === 0 || conditions.length > 0)
        value = words(item.value);
    }
    const all = [...late.prepend, ...value, ...late.append];
    return all.map((word) => this.expand(word)).flatMap(words)
      .filter((word) => !late.remove.includes(word));
  }

  value(variable) {
    return this.words(variable).join(" ");
  }

  /** Text with the names of the recipe put in; what only a build knows stays. */
  expand(text) {
    return text.replace(/\$\{([A-Z0-9_a-z]+)\}/g, (whole, name) => {
      if (name in this.known) return this.known[name];
      return this.items.some((item) => item.variable === name) ? this.value(name) : whole;
    });
  }

  get inherited() {
    return this.items.flatMap((item) => item.inherits ?? []);
  }

  /** The body of a function, with what is put before it and after it. */
  body(name) {
    const parts = { prepend: [], plain: [], append: [] };
    for (const item of this.items) {
      if (item.name !== name) continue;
      const verb = item.overrides.find((part) => part in parts) ?? "plain";
      const conditions = item.overrides.filter((part) => !(part in parts));
      if (conditions.every((part) => this.overrides.includes(part))) parts[verb].push(item.body);
    }
    return [...parts.prepend, ...parts.plain, ...parts.append].join("\n");
  }
}

/** The recipe of a name, whatever its version. */
export function recipe(name, options) {
  const named = (path) => basename(path).split(/_|\.bb/)[0] === name;
  const found = filesOf(".bb", ".bbappend").filter(named);
  if (found.length !== 1) throw new Error(`${found.length} recipes are named ${name}`);
  return new Recipe(found[0], options);
}

/** The entries of SRC_URI that lie in the checkout, and the path that such an entry names. */
export const localFiles = (of) =>
  of.words("SRC_URI").filter((word) => word.startsWith("file://"));
export const pathOf = (entry) => entry.slice("file://".length).split(";")[0];
