// SPDX-License-Identifier: Apache-2.0
// A Deployment's pod on one machine: podman runs what the manifest says, and this file does what
// the kubelet would, at the manifest's own times: it asks the probes, and restarts the container.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";

import { parseAllDocuments } from "yaml";

import { root, sleep, workspace } from "../../e2e/support/processes.mjs";
import { inspect, logsOf, podman, podmanOutput, uniqueName } from "./containers.mjs";

const SECONDS = 1_000;
const GIBIBYTE = 2 ** 30;

/** The objects of a rendered manifest. */
export const manifest = (file) =>
  parseAllDocuments(readFileSync(join(root, file), "utf8")).map((each) => each.toJS());

const named = (objects, kind, name) =>
  objects.find((each) => each.kind === kind && (!name || each.metadata.name === name));

/** A variable's value: what comes from a Secret, which is no part of the manifest, is given. */
function plainVariable({ name, value, valueFrom }, given) {
  if (value !== undefined || name in given) return { name, value: given[name] ?? value };
  assert.ok(valueFrom.secretKeyRef.optional, `${name} comes from a Secret`);
  return { name, value: "" };
}

/**
 * What podman is to run: the manifest's pod and ConfigMaps, changed only where one machine needs
 * it. The image is the local one, whose variables put its ports on loopback; the volume is
 * podman's; probes and hooks are left to watch() and stop().
 */
function onOneMachine(objects, { name, image, claim, variables }) {
  const { template } = named(objects, "Deployment").spec;
  const pod = structuredClone({ apiVersion: "v1", kind: "Pod", ...template });
  pod.metadata = { name, labels: template.metadata.labels };
  pod.spec.hostNetwork = true;
  for (const volume of pod.spec.volumes)
    if (volume.persistentVolumeClaim) volume.persistentVolumeClaim.claimName = claim;
  const [container] = pod.spec.containers;
  Object.assign(container, { image: image.name, env: container.env.concat(image.env) });
  container.env = container.env.map((each) => plainVariable(each, variables));
  for (const key of ["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"])
    delete container[key];
  const maps = structuredClone(objects.filter((each) => each.kind === "ConfigMap"));
  // An operator's own values go where the manifest has its own.
  for (const { data } of maps)
    for (const key of Object.keys(data)) if (key in variables) data[key] = variables[key];
  return [...maps, pod];
}

/** Whether a probe succeeds: what the kubelet takes for success, within the probe's own time. */
async function probeOnce({ httpGet, timeoutSeconds = 1 }, ports) {
  try {
    const { status } = await fetch(`http://127.0.0.1:${ports[httpGet.port]}${httpGet.path}`, {
      signal: AbortSignal.timeout(timeoutSeconds * SECONDS),
      headers: { connection: "close" },
    });
    return status >= 200 && status < 400;
  } catch {
    return false;
  }
}

/** The pod of a rendered manifest, running. ports: of loopback, by the manifest's names. */
export async function startPod(file, { image, ports, variables }) {
  const objects = manifest(file);
  const { spec } = named(objects, "Deployment").spec.template;
  const [container] = spec.containers;
  const name = uniqueName("pod");
  const claim = `${name}-state`;
  const path = join(workspace, `${name}.yaml`);
  const running = onOneMachine(objects, { name, image, claim, variables });
  writeFileSync(path, running.map((each) => JSON.stringify(each)).join("\n---\n"));
  after(async () => {
    await podman(["pod", "rm", "--force", "--time=0", name]);
    await podman(["volume", "rm", "--force", claim]);
    for (const { metadata } of running) await podman(["volume", "rm", "--force", metadata.name]);
  });
  await podmanOutput(["kube", "play", path]);
  return new Pod({ name, spec, container, ports });
}

class Pod {
  /** What the kubelet would report: "started", "unhealthy", "restarted". */
  events = [];
  #watching = true;

  constructor({ name, spec, container, ports }) {
    Object.assign(this, { name, spec, ports, probes: container });
    this.container = `${name}-${container.name}`;
    this.graceSeconds = spec.terminationGracePeriodSeconds;
    this.preStopSeconds = container.lifecycle.preStop.sleep.seconds;
  }

  ready = () => probeOnce(this.probes.readinessProbe, this.ports);
  alive = () => probeOnce(this.probes.livenessProbe, this.ports);
  exec = (...command) => podman(["exec", this.container, ...command]);
  logs = () => logsOf(this.container);

  async state() {
    return (await inspect(this.container)).State;
  }

  /** What the container's cgroup was given, in the manifest's units. */
  async limits() {
    const { HostConfig } = await inspect(this.container);
    const cpu = HostConfig.NanoCpus / 1e9 || HostConfig.CpuQuota / HostConfig.CpuPeriod;
    return { memory: HostConfig.Memory, cpu };
  }

  declaredLimits() {
    const { memory, cpu } = this.probes.resources.limits;
    return { memory: parseInt(memory, 10) * GIBIBYTE, cpu: Number(cpu) };
  }

  /** As the kubelet ends a container: the hook, SIGTERM, and SIGKILL when the time is up. */
  async stop({ afterHook = async () => {} } = {}) {
    await sleep(this.preStopSeconds * SECONDS);
    await afterHook();
    const rest = this.graceSeconds - this.preStopSeconds;
    await podmanOutput(["stop", `--time=${rest}`, this.container]);
    return (await this.state()).ExitCode;
  }

  /** Asks a probe once each period until "enough" says so, or unwatch(): whether it was enough. */
  async #probeUntil(enough, probe) {
    while (this.#watching) {
      const next = Date.now() + probe.periodSeconds * SECONDS;
      if (enough(await probeOnce(probe, this.ports))) return true;
      await sleep(Math.max(0, next - Date.now()));
    }
    return false;
  }

  /** Whether the startup probe succeeds as soon as it must. */
  async #starts() {
    const { startupProbe: probe } = this.probes;
    let attempts = 0;
    let started = false;
    await this.#probeUntil((good) => {
      started = good;
      return good || ++attempts === probe.failureThreshold;
    }, probe);
    return started;
  }

  /** Comes back with true when the liveness probe has failed too often, false at unwatch(). */
  async #fails() {
    const { livenessProbe: probe } = this.probes;
    let failures = 0;
    return this.#probeUntil((good) => {
      failures = good ? 0 : failures + 1;
      return failures === probe.failureThreshold;
    }, probe);
  }

  /** Does the kubelet's part until unwatch(): startup, then liveness, and restarts. */
  async watch() {
    while (this.#watching) {
      const started = await this.#starts();
      if (started) this.events.push("started");
      if (!this.#watching || (started && !(await this.#fails()))) return;
      this.events.push("unhealthy");
      await this.stop();
      await podmanOutput(["start", this.container]);
      this.events.push("restarted");
    }
  }

  unwatch() {
    this.#watching = false;
  }
}
