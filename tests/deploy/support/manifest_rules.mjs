// SPDX-License-Identifier: Apache-2.0
// What a schema does not know of a manifest: that names meet, that numbers fit each other, and what
// this project promises of its pods. Each rule yields a sentence for each fault.
import {
  containersOf,
  duration,
  isLabelKey,
  isLabelValue,
  isObjectName,
  isPortName,
  nameOf,
  network,
  ofKind,
  podsOf,
  quantity,
  selects,
  within,
} from "./kubernetes.mjs";
import { restricted } from "./restricted.mjs";

const CLUSTER_WIDE = new Set(["Namespace", "PersistentVolume"]);
const MODES = ["enforce", "audit", "warn"];
const BOUNDED = ["cpu", "memory", "ephemeral-storage"];
const find = (objects, kind, name) => ofKind(objects, kind).find((o) => o.metadata.name === name);
const has = (objects, kind, name) => find(objects, kind, name) !== undefined;

function* names(objects) {
  const seen = new Set();
  for (const object of objects) {
    const { name, namespace, labels = {}, annotations = {} } = object.metadata;
    if (!isObjectName(name)) yield `${nameOf(object)}: no name`;
    if (seen.has(nameOf(object))) yield `${nameOf(object)} is there twice`;
    seen.add(nameOf(object));
    if (!CLUSTER_WIDE.has(object.kind) && !has(objects, "Namespace", namespace))
      yield `${nameOf(object)}: there is no namespace ${namespace}`;
    for (const [key, value] of Object.entries(labels))
      if (!isLabelKey(key) || !isLabelValue(value)) yield `${nameOf(object)}: label ${key}`;
    for (const key of Object.keys(annotations))
      if (!isLabelKey(key)) yield `${nameOf(object)}: annotation ${key}`;
  }
}

function* namespaces(objects) {
  for (const { metadata } of ofKind(objects, "Namespace"))
    for (const mode of MODES)
      if (metadata.labels?.[`pod-security.kubernetes.io/${mode}`] !== "restricted")
        yield `Namespace ${metadata.name} does not ${mode} "restricted"`;
}

function* selectors(objects) {
  const pods = podsOf(objects);
  for (const { owner, labels, spec } of pods) {
    if (!selects(owner.spec.selector, labels)) yield `${nameOf(owner)} does not select its pods`;
    const spread = spec.topologySpreadConstraints ?? [];
    if (!spread.some((each) => each.topologyKey === "kubernetes.io/hostname"))
      yield `${nameOf(owner)} is not spread over nodes`;
    for (const { topologyKey, labelSelector } of spread)
      if (!selects(labelSelector, labels)) yield `${nameOf(owner)}: spread by ${topologyKey}`;
  }
  for (const budget of ofKind(objects, "PodDisruptionBudget")) {
    const [pod] = pods.filter(({ labels }) => selects(budget.spec.selector, labels));
    if (!pod) yield `${nameOf(budget)} selects no pods`;
    const { minAvailable, maxUnavailable } = budget.spec;
    const spare = maxUnavailable ?? (pod?.owner.spec.replicas ?? 1) - minAvailable;
    if (!(spare >= 1)) yield `${nameOf(budget)} lets no pod be moved`;
  }
}

// A pod that ends counts no longer for its Deployment, nor for a spread: only anti-affinity sees it.
function* overlaps(objects) {
  for (const { owner, labels, spec } of podsOf(objects)) {
    const { requiredDuringSchedulingIgnoredDuringExecution: terms = [] } =
      spec.affinity?.podAntiAffinity ?? {};
    const apart = ({ topologyKey, labelSelector }) =>
      topologyKey === "kubernetes.io/hostname" && selects(labelSelector, labels);
    if (!terms.some(apart)) yield `${nameOf(owner)}: a pod may start beside one that is ending`;
  }
}

function* services(objects) {
  const selected = (service, { labels }) => selects({ matchLabels: service.spec.selector }, labels);
  for (const service of ofKind(objects, "Service")) {
    const pods = podsOf(objects).filter((pod) => selected(service, pod));
    if (!pods.length) yield `${nameOf(service)} selects no pods`;
    if (service.spec.type !== "ClusterIP") yield `${nameOf(service)} is open to the outside`;
    const declared = pods.flatMap(({ spec }) => containersOf(spec).flatMap((c) => c.ports ?? []));
    for (const { port, targetPort = port } of service.spec.ports)
      if (!declared.some((each) => [each.name, each.containerPort].includes(targetPort)))
        yield `${nameOf(service)}: no container has port ${targetPort}`;
  }
}

function* ports(objects) {
  const twice = (list) => new Set(list).size < list.length;
  const served = ofKind(objects, "Service").map((each) => [nameOf(each), each.spec.ports]);
  const declared = podsOf(objects).map(({ owner, spec }) => [
    nameOf(owner),
    containersOf(spec).flatMap((container) => container.ports ?? []),
  ]);
  for (const [where, list] of [...served, ...declared]) {
    const numbers = list.map(({ port, containerPort }) => port ?? containerPort);
    if (twice(list.map(({ name }) => name)) || twice(numbers)) yield `${where}: a port twice`;
    for (const { name } of list) if (!isPortName(name)) yield `${where}: port name ${name}`;
    for (const number of numbers)
      if (!Number.isInteger(number) || number < 1024 || number > 65535)
        yield `${where}: port ${number}`;
  }
}

function* probes(objects) {
  for (const { spec, owner } of podsOf(objects))
    for (const container of spec.containers) {
      const where = `${nameOf(owner)}, ${container.name}`;
      const wanted = { startupProbe: "/live", livenessProbe: "/live", readinessProbe: "/ready" };
      for (const [kind, path] of Object.entries(wanted)) {
        const { httpGet, timeoutSeconds = 1, periodSeconds = 10 } = container[kind] ?? {};
        if (httpGet?.path !== path) yield `${where}: ${kind} does not ask ${path}`;
        const ports = (container.ports ?? []).flatMap((each) => [each.name, each.containerPort]);
        if (!ports.includes(httpGet?.port)) yield `${where}: ${kind} asks an undeclared port`;
        if (timeoutSeconds > periodSeconds) yield `${where}: ${kind} overtakes itself`;
      }
    }
}

function* references(objects, external) {
  for (const { owner, spec } of podsOf(objects)) {
    const missing = (kind, name) => `${nameOf(owner)}: there is no ${kind} ${name}`;
    if (!has(objects, "ServiceAccount", spec.serviceAccountName))
      yield missing("ServiceAccount", spec.serviceAccountName);
    for (const { configMap, secret, persistentVolumeClaim: claim } of spec.volumes ?? []) {
      if (configMap && !has(objects, "ConfigMap", configMap.name))
        yield missing("ConfigMap", configMap.name);
      if (secret && !external.includes(secret.secretName))
        yield missing("Secret", secret.secretName);
      if (claim && !has(objects, "PersistentVolumeClaim", claim.claimName))
        yield missing("PersistentVolumeClaim", claim.claimName);
    }
    for (const { env = [], envFrom = [] } of containersOf(spec)) {
      for (const { configMapRef } of envFrom)
        if (configMapRef && !has(objects, "ConfigMap", configMapRef.name))
          yield missing("ConfigMap", configMapRef.name);
      for (const { valueFrom } of env) {
        const reference = valueFrom?.secretKeyRef;
        if (reference && !external.includes(reference.name))
          yield missing("Secret", reference.name);
      }
    }
  }
}

// A credential in a manifest is a credential in a version control system.
function* secrets(objects) {
  for (const secret of ofKind(objects, "Secret")) yield `${nameOf(secret)} is in the manifest`;
  const suspect = /URL|KEY|TOKEN|PASSWORD|SECRET/;
  for (const { spec } of podsOf(objects))
    for (const { env = [] } of containersOf(spec))
      for (const { name, value } of env)
        if (value && suspect.test(name)) yield `variable ${name} stands in the manifest`;
  for (const map of ofKind(objects, "ConfigMap"))
    for (const [key, value] of Object.entries(map.data ?? {}))
      if (value && suspect.test(key)) yield `${nameOf(map)}: ${key} stands in the manifest`;
}

function* security(objects) {
  for (const account of ofKind(objects, "ServiceAccount"))
    if (account.automountServiceAccountToken !== false) yield `${nameOf(account)} hands out tokens`;
  for (const { spec, owner } of podsOf(objects)) {
    for (const fault of restricted(spec)) yield `${nameOf(owner)}: ${fault}`;
    if (spec.automountServiceAccountToken !== false) yield `${nameOf(owner)} takes a token`;
    for (const { name, image, securityContext } of containersOf(spec)) {
      if (!securityContext?.readOnlyRootFilesystem) yield `container ${name} can write its root`;
      const [, tag] = /:([^/:]+)$/.exec(image) ?? [];
      if (!tag || tag === "latest") yield `container ${name}: image ${image} has no fixed tag`;
    }
  }
}

function* resources(objects) {
  for (const { spec } of podsOf(objects))
    for (const { name, resources: { requests = {}, limits = {} } = {} } of containersOf(spec)) {
      for (const kind of BOUNDED)
        if (!requests[kind] || !limits[kind]) yield `container ${name}: ${kind} is not bounded`;
      for (const [kind, value] of Object.entries({ ...requests, ...limits })) {
        if (Number.isNaN(quantity(value))) yield `container ${name}: ${kind} is no quantity`;
        if (quantity(requests[kind]) > quantity(limits[kind]))
          yield `container ${name} requests more ${kind} than its limit`;
        if (kind.includes("/") && requests[kind] !== limits[kind])
          yield `container ${name}: ${kind} must be requested as it is limited`;
      }
    }
}

function* volumes(objects) {
  for (const { spec, owner } of podsOf(objects)) {
    const declared = new Set((spec.volumes ?? []).map(({ name }) => name));
    const mounts = containersOf(spec).flatMap(({ volumeMounts = [] }) => volumeMounts);
    const mounted = new Set(mounts.map(({ name }) => name));
    const where = nameOf(owner);
    for (const name of mounted) if (!declared.has(name)) yield `${where}: no volume ${name}`;
    for (const name of declared) if (!mounted.has(name)) yield `${where}: idle ${name}`;
    const paths = mounts.map(({ mountPath }) => mountPath);
    if (new Set(paths).size < paths.length) yield `${nameOf(owner)} mounts a path twice`;
    for (const { persistentVolumeClaim: claim } of spec.volumes ?? []) {
      const found = claim && find(objects, "PersistentVolumeClaim", claim.claimName);
      const single = found?.spec.accessModes.includes("ReadWriteOnce");
      if (single && (owner.spec.replicas !== 1 || owner.spec.strategy?.type !== "Recreate"))
        yield `${nameOf(owner)}: two pods may want ${claim.claimName}, which one can have`;
    }
  }
}

function* claims(objects) {
  for (const volume of ofKind(objects, "PersistentVolume")) {
    const { claimRef, capacity, accessModes, storageClassName, hostPath } = volume.spec;
    const claim = find(objects, "PersistentVolumeClaim", claimRef?.name);
    if (claim?.metadata.namespace !== claimRef?.namespace || !claim)
      yield `${nameOf(volume)} is kept for no claim`;
    else if (
      claim.spec.volumeName !== volume.metadata.name ||
      claim.spec.storageClassName !== storageClassName ||
      !claim.spec.accessModes.every((mode) => accessModes.includes(mode)) ||
      !(quantity(claim.spec.resources.requests.storage) <= quantity(capacity.storage))
    )
      yield `${nameOf(volume)} does not fit its claim`;
    if (hostPath?.path.startsWith("/dev/") && hostPath.type !== "CharDevice")
      yield `${nameOf(volume)}: ${hostPath.path} is not verified to be a device`;
    if (/teepriv/.test(hostPath?.path)) yield `${nameOf(volume)} is tee-supplicant's device`;
  }
}

function* shutdown(objects, { shutdownSeconds }) {
  for (const { spec, owner } of podsOf(objects))
    for (const { lifecycle } of spec.containers) {
      const hook = lifecycle?.preStop?.sleep?.seconds ?? 0;
      if (!hook) yield `${nameOf(owner)} ends before the Service has forgotten it`;
      if (!(spec.terminationGracePeriodSeconds >= hook + shutdownSeconds + 10))
        yield `${nameOf(owner)} is killed while it shuts down`;
    }
}

function* blocks(policy, peers = []) {
  for (const { ipBlock } of peers) {
    if (!ipBlock) continue;
    const outer = network(ipBlock.cidr);
    if (!outer) yield `${nameOf(policy)}: ${ipBlock.cidr} is no network`;
    for (const except of ipBlock.except ?? []) {
      const inner = network(except);
      if (!inner || !outer || !within(inner, outer)) yield `${nameOf(policy)}: except ${except}`;
    }
  }
}

function* policies(objects) {
  const all = ofKind(objects, "NetworkPolicy");
  const both = ({ spec }) => ["Ingress", "Egress"].every((type) => spec.policyTypes.includes(type));
  const denies = ({ spec }) => !spec.podSelector.matchLabels && !spec.ingress && !spec.egress;
  if (!all.some((each) => both(each) && denies(each))) yield "nothing is denied by default";
  for (const policy of all.filter((each) => !denies(each))) {
    const pods = podsOf(objects).filter(({ labels }) => selects(policy.spec.podSelector, labels));
    if (!pods.length) yield `${nameOf(policy)} selects no pods`;
    const ports = pods.flatMap(({ spec }) => containersOf(spec).flatMap((c) => c.ports ?? []));
    for (const { from, ports: open } of policy.spec.ingress ?? []) {
      if (!from?.length || !open?.length) yield `${nameOf(policy)} lets everybody in`;
      // Networks that do not resolve a port's name have let every port through.
      for (const { port } of open ?? [])
        if (!ports.some(({ containerPort }) => containerPort === port))
          yield `${nameOf(policy)}: no container has port ${port}`;
      yield* blocks(policy, from);
    }
    for (const { to, ports: open } of policy.spec.egress ?? []) {
      if (!to?.length || !open?.length) yield `${nameOf(policy)} lets everything out`;
      yield* blocks(policy, to);
    }
  }
}

function* monitors(objects) {
  for (const monitor of ofKind(objects, "ServiceMonitor")) {
    const { selector, namespaceSelector, endpoints } = monitor.spec;
    const [service] = ofKind(objects, "Service").filter(
      ({ metadata }) =>
        selects(selector, metadata.labels) &&
        // Without a selector of namespaces: in the monitor's own.
        (namespaceSelector?.matchNames ?? [monitor.metadata.namespace]).includes(
          metadata.namespace,
        ),
    );
    if (!service) yield `${nameOf(monitor)} selects no Service`;
    for (const { port, path, interval, scrapeTimeout } of endpoints) {
      if (!service?.spec.ports.some(({ name }) => name === port))
        yield `${nameOf(monitor)}: no Service has port ${port}`;
      if (path !== "/metrics") yield `${nameOf(monitor)}: ${path} has no metrics`;
      if (!(duration(scrapeTimeout) <= duration(interval))) yield `${nameOf(monitor)}: timeout`;
    }
  }
}

const RULES = [
  names,
  namespaces,
  selectors,
  overlaps,
  services,
  ports,
  probes,
  secrets,
  security,
  resources,
  volumes,
  claims,
  policies,
  monitors,
];

/**
 * All faults of a manifest's objects. external: Secrets that are made by hand; shutdownSeconds: the
 * longest that the program takes to end.
 */
export function faults(objects, { external, shutdownSeconds }) {
  const found = RULES.flatMap((rule) => [...rule(objects)]);
  found.push(...references(objects, external), ...shutdown(objects, { shutdownSeconds }));
  return found;
}
