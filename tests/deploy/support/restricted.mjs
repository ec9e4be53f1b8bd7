// SPDX-License-Identifier: Apache-2.0
// Pod security "restricted", control by control, as the Pod Security Standards list them. What a
// pod of a Deployment breaks of it is said in one sentence each.
import { containersOf } from "./kubernetes.mjs";

const VOLUMES = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);
const SYSCTLS = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
]);
const SECCOMP = ["RuntimeDefault", "Localhost"];
const SELINUX_TYPES = ["", undefined, "container_t", "container_init_t", "container_kvm_t"];

function* hostOf(spec) {
  for (const key of ["hostNetwork", "hostPID", "hostIPC"])
    if (spec[key]) yield `the pod has ${key}`;
  for (const { name, ...source } of spec.volumes ?? [])
    for (const type of Object.keys(source))
      if (!VOLUMES.has(type)) yield `volume ${name} is of type ${type}`;
  for (const { name } of spec.securityContext?.sysctls ?? [])
    if (!SYSCTLS.has(name)) yield `sysctl ${name}`;
}

// Probes and hooks may not send the kubelet to another host.
function* hostsAsked({ name, lifecycle, ...container }) {
  const probes = ["startupProbe", "livenessProbe", "readinessProbe"].map((key) => container[key]);
  for (const asks of [...probes, lifecycle?.preStop, lifecycle?.postStart])
    for (const kind of ["httpGet", "tcpSocket"])
      if (asks?.[kind]?.host) yield `container ${name} asks host ${asks[kind].host}`;
}

function* contextOf(where, context = {}) {
  if (!SELINUX_TYPES.includes(context.seLinuxOptions?.type)) yield `${where}: SELinux type`;
  if (context.seLinuxOptions?.user || context.seLinuxOptions?.role)
    yield `${where}: SELinux user or role`;
  if (context.appArmorProfile?.type === "Unconfined") yield `${where}: AppArmor is unconfined`;
  if (context.windowsOptions?.hostProcess) yield `${where}: a Windows host process`;
  if (context.runAsUser === 0) yield `${where} runs as root`;
  if (context.runAsNonRoot === false) yield `${where} allows root`;
  if (context.seccompProfile && !SECCOMP.includes(context.seccompProfile.type))
    yield `${where}: seccomp is ${context.seccompProfile.type}`;
}

function* containerOf({ name, securityContext = {}, ports = [] }, pod) {
  const where = `container ${name}`;
  yield* contextOf(where, securityContext);
  if (securityContext.privileged) yield `${where} is privileged`;
  if (securityContext.allowPrivilegeEscalation !== false)
    yield `${where} does not forbid privilege escalation`;
  if (!securityContext.capabilities?.drop?.includes("ALL")) yield `${where} keeps capabilities`;
  for (const added of securityContext.capabilities?.add ?? [])
    if (added !== "NET_BIND_SERVICE") yield `${where} has capability ${added}`;
  if (![undefined, "Default"].includes(securityContext.procMount)) yield `${where}: procMount`;
  if (!(securityContext.runAsNonRoot ?? pod.runAsNonRoot)) yield `${where} may be root`;
  if (!(securityContext.seccompProfile ?? pod.seccompProfile)) yield `${where} has no seccomp`;
  for (const { hostPort } of ports) if (hostPort) yield `${where} has hostPort ${hostPort}`;
}

/** What of a pod's spec "restricted" would refuse. */
export function* restricted(spec) {
  yield* hostOf(spec);
  yield* contextOf("the pod", spec.securityContext);
  for (const container of containersOf(spec)) {
    yield* containerOf(container, spec.securityContext ?? {});
    yield* hostsAsked(container);
  }
}
