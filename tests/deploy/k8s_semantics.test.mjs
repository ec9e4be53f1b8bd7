// SPDX-License-Identifier: Apache-2.0
// What the rendered manifests must hold beyond their schema. Each rule is shown to find the fault
// that it is there for: a manifest is spoilt in one place, and the rule says so.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { containersOf, ofKind, parse, podsOf, read, RENDERED } from "./support/kubernetes.mjs";
import { faults } from "./support/manifest_rules.mjs";

// Made by hand, as docs/kubernetes.md says.
const EXTERNAL = ["super-relay-upstream"];
const [, shutdown] = /^readonly SHUTDOWN_SECONDS=(\d+)$/m.exec(read("docker/optee-startup.sh"));
const TERMS = { external: EXTERNAL, shutdownSeconds: Number(shutdown) };
const [QEMU, TEE_NODE] = Object.keys(RENDERED);

for (const file of Object.keys(RENDERED)) {
  const objects = parse(read(file));
  const [{ owner, spec }] = podsOf(objects);
  const [container] = spec.containers;

  describe(file, () => {
    test("has no fault that the rules know", () => assert.deepEqual(faults(objects, TERMS), []));

    test("holds everything that a deployment needs", () => {
      const kinds = new Set(objects.map(({ kind }) => kind));
      for (const kind of [
        "Namespace",
        "ServiceAccount",
        "ConfigMap",
        "Deployment",
        "Service",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "PersistentVolumeClaim",
        "ServiceMonitor",
        "PrometheusRule",
      ])
        assert.ok(kinds.has(kind), kind);
    });

    test("serves JSON-RPC on 3000 and the HTTP API on 9000", () => {
      const [{ spec: service }] = ofKind(objects, "Service");
      const served = service.ports.map(({ name, port }) => `${name} ${port}`);
      assert.deepEqual(served, ["json-rpc 3000", "http-api 9000"]);
    });

    test("asks for what the plan asks for", () => {
      const { requests, limits } = container.resources;
      assert.deepEqual([requests.cpu, requests.memory], ["1", "2Gi"]);
      assert.deepEqual([limits.cpu, limits.memory], ["2", "4Gi"]);
    });

    test("has its metrics under the job that the alert rules ask for", () => {
      // The operator names a job after the Service.
      const [{ metadata }] = ofKind(objects, "Service");
      const rules = JSON.stringify(ofKind(objects, "PrometheusRule"));
      const jobs = new Set([...rules.matchAll(/job=\\"([^"\\]+)\\"/g)].map(([, job]) => job));
      assert.deepEqual([...jobs], [metadata.name]);
    });

    test("says what it protects, where people look", () => {
      const { annotations } = owner.spec.template.metadata;
      assert.deepEqual(owner.metadata.annotations, annotations);
      const said = annotations["super-relay/protects"];
      assert.match(said, file === QEMU ? /not the keys/ : /as far as the board's secure boot/);
    });

    test("names its external Secrets in the documentation", () => {
      for (const name of EXTERNAL)
        assert.match(read("docs/kubernetes.md"), new RegExp(`create secret generic ${name}`));
    });
  });
}

describe(QEMU, () => {
  const [{ owner, spec }] = podsOf(parse(read(QEMU)));

  test("is one machine with one disk, and needs nothing of its node", () => {
    assert.equal(owner.spec.replicas, 1);
    assert.equal(owner.spec.strategy.type, "Recreate");
    assert.equal(spec.nodeSelector, undefined);
    assert.doesNotMatch(JSON.stringify(spec), /\/dev\//);
  });
});

describe(TEE_NODE, () => {
  const objects = parse(read(TEE_NODE));
  const [{ owner, spec }] = podsOf(objects);

  test("is one relay on each of two arm64 nodes that have a TEE", () => {
    assert.equal(owner.spec.replicas, 2);
    assert.deepEqual(spec.nodeSelector, {
      "kubernetes.io/arch": "arm64",
      "super-relay/tee": "true",
    });
    const spread = spec.topologySpreadConstraints.find(
      ({ topologyKey }) => topologyKey === "kubernetes.io/hostname",
    );
    assert.equal(spread.whenUnsatisfiable, "DoNotSchedule");
    assert.equal(spread.minDomains, 2);
    assert.equal(owner.spec.strategy.rollingUpdate.maxSurge, 0);
  });

  test("opens /dev/tee0 without privilege: a claimed device, and the resource to open it", () => {
    const volume = objects.find(
      ({ kind, spec: { hostPath } = {} }) =>
        kind === "PersistentVolume" && hostPath.path === "/dev/tee0",
    );
    assert.equal(volume.spec.hostPath.type, "CharDevice");
    const [container] = spec.containers;
    const { name } = container.volumeMounts.find(({ mountPath }) => mountPath === "/dev/tee0");
    const { persistentVolumeClaim: claim } = spec.volumes.find((each) => each.name === name);
    assert.equal(claim.claimName, volume.spec.claimRef.name);
    assert.equal(container.resources.limits["super-relay/tee"], "1");
    assert.deepEqual(spec.securityContext.supplementalGroups, [10003]);
  });

  test("never touches tee-supplicant's device", () => {
    const configured = ofKind(objects, "ConfigMap").map(({ data }) => Object.values(data));
    const withoutComments = configured.flat().map((text) => text.replaceAll(/^#.*$/gm, ""));
    assert.doesNotMatch(JSON.stringify([spec, withoutComments]), /teepriv/);
  });
});

// A claim's storage cannot be changed, so one overlay after the other must not name the same.
test("the overlays' claims have different names", () => {
  const claims = (file) =>
    ofKind(parse(read(file)), "PersistentVolumeClaim").map(({ metadata }) => metadata.name);
  const both = claims(QEMU).filter((name) => claims(TEE_NODE).includes(name));
  assert.deepEqual(both, []);
});

const pod = (objects) => podsOf(objects)[0].spec;
const container = (objects) => containersOf(pod(objects))[0];
const the = (objects, kind) => ofKind(objects, kind)[0].spec;
const policy = (objects) =>
  ofKind(objects, "NetworkPolicy").find(({ metadata }) => metadata.name === "super-relay").spec;

// What is spoilt, how, and what is then said.
const SPOILT = [
  ["a name", (o) => (o[0].metadata.name = "Super_Relay"), /no name/],
  ["an object twice", (o) => o.push(structuredClone(o[1])), /is there twice/],
  ["another namespace", (o) => (o[1].metadata.namespace = "x"), /there is no namespace x/],
  ["a long label", (o) => (o[0].metadata.labels.a = "b".repeat(64)), /label a/],
  ["a label's key", (o) => (o[0].metadata.labels["a/b/c"] = "d"), /label a\/b\/c/],
  [
    "the namespace's security",
    (o) => (o[0].metadata.labels["pod-security.kubernetes.io/warn"] = "baseline"),
    /does not warn/,
  ],
  [
    "the pods' labels",
    (o) => (podsOf(o)[0].owner.spec.template.metadata.labels["app.kubernetes.io/name"] = "x"),
    /does not select its pods[^]*selects no pods/,
  ],
  [
    "a spread's selector",
    (o) => (pod(o).topologySpreadConstraints[0].labelSelector.matchLabels = { x: "y" }),
    /spread by/,
  ],
  ["the room for one", (o) => delete pod(o).affinity, /beside one that is ending/],
  [
    "a policy's port by its name",
    (o) => (policy(o).ingress[0].ports[0].port = "json-rpc"),
    /no container has port json-rpc/,
  ],
  ["the spread", (o) => delete pod(o).topologySpreadConstraints, /not spread over nodes/],
  [
    "the budget's selector",
    (o) => (the(o, "PodDisruptionBudget").selector.matchLabels = { x: "y" }),
    /PodDisruptionBudget super-relay selects no pods/,
  ],
  [
    "the budget",
    (o) => {
      Object.assign(the(o, "PodDisruptionBudget"), { maxUnavailable: undefined, minAvailable: 2 });
    },
    /lets no pod be moved/,
  ],
  ["the Service's port", (o) => (the(o, "Service").ports[0].targetPort = "x"), /has port x/],
  ["a port's name", (o) => (container(o).ports[0].name = "json_rpc"), /port name json_rpc/],
  ["a port's number", (o) => (container(o).ports[1].containerPort = 3000), /a port twice/],
  ["the Service's type", (o) => (the(o, "Service").type = "LoadBalancer"), /open to the outside/],
  [
    "a probe's port",
    (o) => (container(o).livenessProbe.httpGet.port = "rpc"),
    /livenessProbe asks an undeclared port/,
  ],
  [
    "a probe's path",
    (o) => (container(o).livenessProbe.httpGet.path = "/ready"),
    /livenessProbe does not ask \/live/,
  ],
  ["a probe", (o) => delete container(o).startupProbe, /startupProbe does not ask/],
  [
    "a probe's patience",
    (o) => (container(o).readinessProbe.timeoutSeconds = 6),
    /overtakes itself/,
  ],
  [
    "a variable's Secret",
    (o) => (container(o).env[0].valueFrom.secretKeyRef.name = "x"),
    /there is no Secret x/,
  ],
  [
    "a ConfigMap's name",
    (o) => (ofKind(o, "ConfigMap")[0].metadata.name = "x"),
    /there is no ConfigMap super-relay-config-/,
  ],
  [
    "the claim's name",
    (o) => {
      const volume = pod(o).volumes.find(({ persistentVolumeClaim }) => persistentVolumeClaim);
      volume.persistentVolumeClaim.claimName = "x";
    },
    /there is no PersistentVolumeClaim x/,
  ],
  ["the account's name", (o) => (pod(o).serviceAccountName = "default"), /ServiceAccount default/],
  [
    "a literal URL",
    (o) => (container(o).env[0] = { name: "ETH_NODE_URL", value: "https://x/key" }),
    /ETH_NODE_URL stands in the manifest/,
  ],
  [
    "a Secret",
    (o) => o.push({ kind: "Secret", metadata: { name: "x", namespace: "super-relay" } }),
    /Secret x is in the manifest/,
  ],
  [
    "the account's token",
    (o) => delete ofKind(o, "ServiceAccount")[0].automountServiceAccountToken,
    /hands out tokens/,
  ],
  ["the pod's token", (o) => delete pod(o).automountServiceAccountToken, /takes a token/],
  [
    "the root file system",
    (o) => (container(o).securityContext.readOnlyRootFilesystem = false),
    /can write its root/,
  ],
  ["the image's tag", (o) => (container(o).image = "a:5000/super-relay"), /has no fixed tag/],
  ["the image's latest tag", (o) => (container(o).image = "a:latest"), /has no fixed tag/],
  ["a request", (o) => (container(o).resources.requests.memory = "5Gi"), /more memory than/],
  ["a limit", (o) => delete container(o).resources.limits.cpu, /cpu is not bounded/],
  ["a quantity", (o) => (container(o).resources.limits.cpu = "2 cores"), /is no quantity/],
  ["a mount", (o) => (container(o).volumeMounts[0].name = "x"), /no volume x/],
  ["a mount's path", (o) => container(o).volumeMounts.push(container(o).volumeMounts[0]), /twice/],
  [
    "the grace period",
    (o) => (pod(o).terminationGracePeriodSeconds = 30),
    /is killed while it shuts down/,
  ],
  ["the hook", (o) => delete container(o).lifecycle, /before the Service has forgotten it/],
  [
    "a policy's port",
    (o) => (policy(o).ingress[0].ports[0].port = 3001),
    /no container has port 3001/,
  ],
  ["a policy's peers", (o) => delete policy(o).ingress[0].from, /lets everybody in/],
  ["a policy's way out", (o) => (policy(o).egress[0].to = []), /lets everything out/],
  [
    "a network",
    (o) => (policy(o).egress[1].to[0].ipBlock.except[0] = "10.0.0.1/8"),
    /except 10\.0\.0\.1\/8/,
  ],
  [
    "a network's exception",
    (o) => (policy(o).egress[1].to[1].ipBlock.except[0] = "10.0.0.0/8"),
    /except 10\.0\.0\.0\/8/,
  ],
  [
    "the default policy",
    (o) => o.splice(o.findIndex(({ metadata }) => metadata.name === "default-deny"), 1),
    /nothing is denied by default/,
  ],
  [
    "the monitor's selector",
    (o) => (the(o, "ServiceMonitor").selector.matchLabels = { x: "y" }),
    /selects no Service/,
  ],
  ["the monitor's port", (o) => (the(o, "ServiceMonitor").endpoints[0].port = "web"), /port web/],
  [
    "the monitor's patience",
    (o) => (the(o, "ServiceMonitor").endpoints[0].scrapeTimeout = "1m"),
    /timeout/,
  ],
];

const SPOILT_QEMU = [
  ["the replicas", (o) => (podsOf(o)[0].owner.spec.replicas = 2), /two pods may want/],
  ["the strategy", (o) => delete podsOf(o)[0].owner.spec.strategy, /two pods may want/],
];

const SPOILT_TEE_NODE = [
  [
    "the device's kind",
    (o) => delete ofKind(o, "PersistentVolume")[1].spec.hostPath.type,
    /is not verified to be a device/,
  ],
  [
    "the device",
    (o) => (ofKind(o, "PersistentVolume")[1].spec.hostPath.path = "/dev/teepriv0"),
    /is tee-supplicant's device/,
  ],
  ["a claim", (o) => (the(o, "PersistentVolumeClaim").volumeName = "x"), /does not fit its claim/],
  [
    "a volume's claim",
    (o) => (the(o, "PersistentVolume").claimRef.namespace = "x"),
    /is kept for no claim/,
  ],
  [
    "the device's request",
    (o) => delete container(o).resources.requests["super-relay/tee"],
    /must be requested as it is limited/,
  ],
];

/** Objects with one thing spoilt. */
function spoil(file, change) {
  const objects = parse(read(file));
  change(objects);
  return objects;
}

for (const [file, list] of [
  [QEMU, SPOILT],
  [QEMU, SPOILT_QEMU],
  [TEE_NODE, SPOILT_TEE_NODE],
])
  describe(`the rules, on ${file}`, () => {
    for (const [what, change, said] of list)
      test(`notice ${what}`, () => {
        assert.match(faults(spoil(file, change), TERMS).join("\n"), said);
      });
  });

// One spoilt place for each control of the Pod Security Standards' restricted profile.
const context = (o) => container(o).securityContext;
const UNRESTRICTED = [
  ["the host's network", (o) => (pod(o).hostNetwork = true)],
  ["the host's processes", (o) => (pod(o).hostPID = true)],
  ["a path of the host", (o) => pod(o).volumes.push({ name: "x", hostPath: { path: "/dev" } })],
  ["a sysctl", (o) => (pod(o).securityContext.sysctls = [{ name: "kernel.msgmax", value: "1" }])],
  ["a privileged container", (o) => (context(o).privileged = true)],
  ["escalation", (o) => delete context(o).allowPrivilegeEscalation],
  ["capabilities", (o) => (context(o).capabilities.drop = ["NET_RAW"])],
  ["an added capability", (o) => (context(o).capabilities.add = ["SYS_ADMIN"])],
  ["root", (o) => (pod(o).securityContext.runAsUser = 0)],
  ["a container that may be root", (o) => delete pod(o).securityContext.runAsNonRoot],
  ["no seccomp", (o) => delete pod(o).securityContext.seccompProfile],
  ["unconfined seccomp", (o) => (context(o).seccompProfile = { type: "Unconfined" })],
  ["unconfined AppArmor", (o) => (context(o).appArmorProfile = { type: "Unconfined" })],
  ["an SELinux type", (o) => (context(o).seLinuxOptions = { type: "spc_t" })],
  ["an unmasked /proc", (o) => (context(o).procMount = "Unmasked")],
  ["a port of the host", (o) => (container(o).ports[0].hostPort = 3000)],
  ["a probe of another host", (o) => (container(o).livenessProbe.httpGet.host = "10.0.0.1")],
  [
    "an init container of its own mind",
    (o) => (pod(o).initContainers = [{ ...container(o), securityContext: {} }]),
  ],
];

describe('what "restricted" refuses is refused here', () => {
  for (const [what, change] of UNRESTRICTED)
    test(what, () => assert.notDeepEqual(faults(spoil(QEMU, change), TERMS), []));
});
