// SPDX-License-Identifier: Apache-2.0
// The rendered manifests in a real control plane: what the API server takes, warns of and refuses,
// where the scheduler puts the pods, and what the controllers make of a change. The tests go on
// from each other: one cluster's day.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";

import * as manifests from "../deploy/support/kubernetes.mjs";
import { sleep, until } from "../e2e/support/processes.mjs";
import { addNode, api, kubectl, podsOf, startCluster, startKubelets } from "./support/cluster.mjs";

const { ofKind, parse, podsOf: podsIn, read, RENDERED, SCHEMAS } = manifests;
const [QEMU, TEE_NODE] = Object.keys(RENDERED);
const NAMESPACE = "super-relay";
const PATIENCE = { within: 60_000, every: 100 };
const APPLY = ["apply", "--server-side", "--validate=strict"];
const CREATE = ["--dry-run=server", "--validate=strict", "-f", "-"];

/** kubectl that must not fail, nor be warned of anything. */
async function succeed(words, input) {
  const { status, stdout, stderr } = await kubectl(words, input);
  assert.equal(status, 0, `kubectl ${words}: ${stderr}`);
  assert.doesNotMatch(stderr, /warning/i);
  return stdout;
}

// ---- before the day ------------------------------------------------------------------

/** Stands for the operator's definition of a kind; it takes whatever fields there are. */
const definition = (kind, plural) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.monitoring.coreos.com` },
  spec: {
    group: "monitoring.coreos.com",
    scope: "Namespaced",
    names: { kind, plural },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        },
      },
    ],
  },
});

async function defineMonitors(diagnose) {
  for (const kind of ["ServiceMonitor", "PrometheusRule"]) {
    const plural = `${kind.toLowerCase()}s`;
    const path = join(SCHEMAS, `crd-${plural}.yaml`);
    const real = existsSync(path);
    if (!real) diagnose(`NOT CHECKED: fields of ${kind}: the operator's definition is not here`);
    const text = real ? readFileSync(path, "utf8") : JSON.stringify(definition(kind, plural));
    await succeed(["apply", "--server-side", "-f", "-"], text);
    await succeed(`wait --for=condition=Established crd/${plural}.monitoring.coreos.com`);
  }
}

const TEE = "super-relay/tee";
const TAINTED = [{ key: TEE, value: "true", effect: "NoSchedule" }];
const ARM = { "kubernetes.io/arch": "arm64" };
const NODES = {
  "tee-a": { labels: { ...ARM, [TEE]: "true" }, taints: TAINTED, resources: { [TEE]: "4" } },
  "tee-b": { labels: { ...ARM, [TEE]: "true" }, taints: TAINTED, resources: { [TEE]: "4" } },
  "without-label": { labels: ARM, resources: { [TEE]: "4" } },
  "without-plugin": { labels: { ...ARM, [TEE]: "true" } },
  "other-processor": {
    labels: { "kubernetes.io/arch": "amd64", [TEE]: "true" },
    resources: { [TEE]: "4" },
  },
};

before(startCluster);

test("the namespace is made first, as documented", async (t) => {
  await defineMonitors((text) => t.diagnostic(text));
  await succeed([...APPLY, "-f", "k8s/base/namespace.yaml"]);
});

// ---- what the server says ----------------------------------------------------------------

for (const file of Object.keys(RENDERED))
  test(`${file} is taken by a strict server, which warns of nothing`, async () => {
    const said = await succeed([...APPLY, "--dry-run=server", "-f", file]);
    const taken = said.trimEnd().split("\n");
    assert.equal(taken.length, parse(read(file)).length);
    for (const line of taken) assert.match(line, /serverside-applied \(server dry run\)$/);
  });

const deployment = (file) => structuredClone(ofKind(parse(read(file)), "Deployment")[0]);

test("the server is strict: it refuses a field that it does not know", async () => {
  const object = deployment(QEMU);
  object.spec.template.spec.containers[0].readynessProbe = {};
  const { status, stderr } = await kubectl(["create", ...CREATE], JSON.stringify(object));
  assert.equal(status, 1);
  assert.match(stderr, /unknown field "spec\.template\.spec\.containers\[0\]\.readynessProbe"/);
});

// ---- tee-node -----------------------------------------------------------------------------

const ROLLED = `-n ${NAMESPACE} rollout status deployment/super-relay --timeout=60s`;
const placesOf = (pods) => pods.map(({ spec }) => spec.nodeName).sort();
let lingering = false;
let stopKubelets;

test("its pods go to nodes with label, processor and device, one to each", async () => {
  for (const [name, node] of Object.entries(NODES)) await addNode(name, node);
  stopKubelets = startKubelets(NAMESPACE, () => lingering);
  await succeed([...APPLY, "-f", TEE_NODE]);
  await succeed(ROLLED);
  assert.deepEqual(placesOf(await podsOf(NAMESPACE)), ["tee-a", "tee-b"]);
});

test("its Service has both pods, by the ports' names", async () => {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;
  const slices = await until(
    "both are served",
    async () => {
      const { items } = (await api("GET", path)).body;
      return items[0]?.endpoints?.length === 2 && items;
    },
    PATIENCE,
  );
  const ports = slices[0].ports.map(({ name, port }) => `${name} ${port}`).sort();
  assert.deepEqual(ports, ["http-api 9000", "json-rpc 3000"]);
  assert.ok(slices[0].endpoints.every(({ conditions }) => conditions.ready));
});

test("the namespace is restricted: a pod with more rights is refused, and warned of", async () => {
  const object = deployment(TEE_NODE);
  const { spec } = podsIn([object])[0];
  spec.containers[0].securityContext.allowPrivilegeEscalation = true;
  const warned = await kubectl(["create", ...CREATE], JSON.stringify(object));
  assert.match(warned.stderr, /would violate PodSecurity "restricted:/);

  const metadata = { name: "pod", namespace: NAMESPACE };
  const pod = { apiVersion: "v1", kind: "Pod", metadata, spec };
  const refused = await kubectl(["create", ...CREATE], JSON.stringify(pod));
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /violates PodSecurity "restricted:/);
});

const versions = async () => {
  const kinds = "deployments,services,configmaps,pvc,netpol,pdb,pods,servicemonitors";
  const { items } = JSON.parse(await succeed(`-n ${NAMESPACE} get ${kinds} -o json`));
  return items.map(({ kind, metadata }) => [kind, metadata.name, metadata.resourceVersion]);
};

test("applied again it changes nothing", async () => {
  const earlier = await versions();
  await succeed(["diff", "--server-side", "-f", TEE_NODE]);
  await succeed([...APPLY, "-f", TEE_NODE]);
  await sleep(2000);
  assert.deepEqual(await versions(), earlier);
});

test("one pod at a time may be evicted", async () => {
  const [first, second] = await podsOf(NAMESPACE);
  const evict = ({ metadata: { name } }) =>
    api("POST", `/api/v1/namespaces/${NAMESPACE}/pods/${name}/eviction`, {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name, namespace: NAMESPACE },
    });
  const allowed = async () => {
    const path = `/apis/policy/v1/namespaces/${NAMESPACE}/poddisruptionbudgets/super-relay`;
    return (await api("GET", path)).body.status?.disruptionsAllowed === 1;
  };
  await until("the budget has counted the pods", allowed, PATIENCE);
  lingering = true;
  assert.equal((await evict(first)).status, 201);
  const { status, body } = await evict(second);
  assert.equal(status, 429);
  assert.match(body.message, /violate the pod's disruption budget/);
  lingering = false;
  await until("the other is back", allowed, PATIENCE);
});

/** Nodes with more than one pod, ending ones too. */
async function crowds() {
  const places = placesOf(await podsOf(NAMESPACE)).filter(Boolean);
  return places.filter((node, i) => places.indexOf(node) !== i);
}

test("a new pod waits until the old one of its node has ended", async () => {
  const old = (await podsOf(NAMESPACE)).map(({ metadata }) => metadata.name);
  const isNew = ({ metadata }) => !old.includes(metadata.name);
  lingering = true;
  await succeed(`-n ${NAMESPACE} rollout restart deployment/super-relay`);
  const refused = ({ status }) =>
    status.conditions?.some(({ message }) => /anti-affinity rules/.test(message));
  await until(
    "it waits, and says for what",
    async () => (await podsOf(NAMESPACE)).some((pod) => isNew(pod) && refused(pod)),
    PATIENCE,
  );
  assert.deepEqual(await crowds(), []);

  lingering = false;
  const done = succeed(ROLLED).then(() => true);
  while (!(await Promise.race([done, sleep(50)]))) assert.deepEqual(await crowds(), []);
  const pods = await podsOf(NAMESPACE);
  assert.ok(pods.filter(({ metadata }) => !metadata.deletionTimestamp).every(isNew));
});

test("a revision can be undone", async () => {
  const before = (await podsOf(NAMESPACE)).map(({ metadata }) => metadata.name);
  await succeed(`-n ${NAMESPACE} rollout undo deployment/super-relay`);
  await succeed(ROLLED);
  assert.ok((await podsOf(NAMESPACE)).every(({ metadata }) => !before.includes(metadata.name)));
});

// ---- qemu -----------------------------------------------------------------------------------

const CLASS = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: {
    name: "local",
    annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
  },
  provisioner: "kubernetes.io/no-provisioner",
  volumeBindingMode: "WaitForFirstConsumer",
};
const VOLUME = {
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name: "disk" },
  spec: {
    storageClassName: "local",
    capacity: { storage: "2Gi" },
    accessModes: ["ReadWriteOnce"],
    hostPath: { path: "/disk" },
  },
};

const isQemu = ({ spec }) => spec.containers[0].image.startsWith("super-relay-optee:");

test("the other overlay can take its place, and runs without a TEE's node", async () => {
  await addNode("plain", { labels: { "kubernetes.io/arch": "amd64" } });
  for (const object of [CLASS, VOLUME])
    await succeed(["create", "-f", "-"], JSON.stringify(object));
  await succeed([...APPLY, "-f", QEMU]);
  await succeed(ROLLED);
  const pods = await until(
    "the others have ended",
    async () => {
      const all = await podsOf(NAMESPACE);
      return all.every(isQemu) && all;
    },
    PATIENCE,
  );
  assert.equal(pods.length, 1);
  const { body } = await api("GET", `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims`);
  const claim = body.items.find(({ metadata }) => metadata.name === "super-relay-state");
  assert.equal(claim.status.phase, "Bound");
});

test("and tee-node again, with the claims that it had", async () => {
  await succeed([...APPLY, "-f", TEE_NODE]);
  await succeed(ROLLED);
  await until(
    "both are there, alone",
    async () => String(placesOf(await podsOf(NAMESPACE))) === "tee-a,tee-b",
    PATIENCE,
  );
  await stopKubelets();
});
