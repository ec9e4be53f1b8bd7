// SPDX-License-Identifier: Apache-2.0
// Kubernetes manifests as data: reading them, and the API's own notions of names, quantities,
// selectors and networks.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { parseAllDocuments } from "yaml";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");

/** The rendered manifests, and what each is rendered from. */
export const RENDERED = {
  "k8s/superrelay-optee.yaml": "k8s/overlays/qemu",
  "k8s/superrelay-tee-node.yaml": "k8s/overlays/tee-node",
};

/** The published schemas, where the machine has them. */
export const SCHEMAS = process.env.SR_K8S_SCHEMAS ?? join(root, "../shared/k8s-schemas");

export const read = (path) => readFileSync(join(root, path), "utf8");

/** The objects of a manifest; what is no YAML throws. */
export function parse(text) {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length) throw document.errors[0];
    return document.toJS();
  });
}

/** kustomize, with its default restrictions: its standard output. */
export function kustomize(directory, top = root) {
  const own = join(root, "build/tools/bin/kustomize");
  const [program, ...args] = existsSync(own) ? [own, "build"] : ["kubectl", "kustomize"];
  return execFileSync(program, [...args, join(top, directory)], { encoding: "utf8" });
}

export const ofKind = (objects, kind) => objects.filter((each) => each.kind === kind);
export const nameOf = ({ kind, metadata }) => `${kind} ${metadata?.name}`;

/** Pods that Deployments make: { owner, labels, spec }. */
export const podsOf = (objects) =>
  ofKind(objects, "Deployment").map((owner) => ({
    owner,
    labels: owner.spec.template.metadata?.labels ?? {},
    spec: owner.spec.template.spec,
  }));

export const containersOf = (spec) => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

/** A labelSelector. Without terms it selects everything; no expressions are used here. */
export function selects(selector, labels = {}) {
  if (!selector || selector.matchExpressions) return false;
  return Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
}

const UNITS = { m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

/** A quantity as a number, NaN for what is none. */
export function quantity(text) {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(m|[kMG]|[KMG]i)?$/.exec(String(text)) ?? [];
  return number === undefined ? NaN : Number(number) * UNITS[unit ?? ""];
}

/** A Prometheus duration in seconds, NaN for what is none. */
export function duration(text) {
  const [, number, unit] = /^(\d+)(s|m|h)$/.exec(String(text)) ?? [];
  return Number(number) * { s: 1, m: 60, h: 3600 }[unit];
}

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

export const isObjectName = (name) =>
  typeof name === "string" && name.length <= 253 && SUBDOMAIN.test(name);
export const isPortName = (name) => NAME.test(name) && name.length <= 15 && /[a-z]/.test(name);
export const isLabelValue = (value) =>
  typeof value === "string" && (value === "" || QUALIFIED.test(value));

export function isLabelKey(key) {
  const parts = key.split("/");
  const name = parts.pop();
  return parts.length < 2 && QUALIFIED.test(name) && parts.every(isObjectName);
}

function addressBits(address) {
  if (isIP(address) === 4)
    return address.split(".").reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n);
  const [head, tail] = address.split("::").map((part) => part.split(":").filter(Boolean));
  const zeros = tail ? Array(8 - head.length - tail.length).fill("0") : [];
  const groups = [...head, ...zeros, ...(tail ?? [])];
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/** A network in the only form that Kubernetes takes without a warning; undefined for others. */
export function network(cidr) {
  const [, address, prefix] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(String(cidr)) ?? [];
  const family = isIP(address ?? "");
  const width = { 0: -1, 4: 32, 6: 128 }[family];
  if (!family || Number(prefix) > width) return undefined;
  const bits = addressBits(address);
  const free = BigInt(width - Number(prefix));
  if ((bits >> free) << free !== bits) return undefined;
  return { family, bits, free };
}

/** Whether one network lies within another and is not all of it. */
export const within = (inner, outer) =>
  inner.family === outer.family &&
  inner.free < outer.free &&
  inner.bits >> outer.free === outer.bits >> outer.free;
