// SPDX-License-Identifier: Apache-2.0
// A Kubernetes control plane without machines: etcd, API server, controllers and scheduler on
// loopback. Nodes are objects, and the kubelet's part is played here: what is bound to a node
// runs at once, and is gone when it is told to end.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { after } from "node:test";

import * as processes from "../../e2e/support/processes.mjs";

const { freePort, launch, root, run, sleep, until, workspace } = processes;
const PROGRAMS = join(root, "build/tools/control-plane");
const KUBECTL = join(root, "build/tools/bin/kubectl");
const START = { within: 120_000, every: 200 };
const directory = join(workspace, "cluster");
const inside = (name) => join(directory, name);
const token = randomBytes(24).toString("hex");
const kubeconfig = inside("kubeconfig");
// What looks after machines, and would find ours dead.
const WITHOUT = ["node-lifecycle", "taint-eviction", "persistentvolume-attach-detach"];
const CONTROLLERS = ["*", ...WITHOUT.map((name) => `-${name}-controller`)].join();

let port;
let agent;

/** One request to the API: { status, body, warnings }. */
export function api(method, path, body, type = "application/json") {
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": type,
    "content-length": Buffer.byteLength(text),
  };
  const options = { method, agent, headers, host: "127.0.0.1", port, path };
  return new Promise((resolve, reject) => {
    const sending = request(options, async (response) => {
      const answer = (await response.setEncoding("utf8").toArray()).join("");
      const json = response.headers["content-type"]?.includes("json");
      const { statusCode: status, headers: { warning } } = response;
      resolve({ status, body: json ? JSON.parse(answer) : answer, warning });
    });
    sending.on("error", reject).end(text);
  });
}

const MERGE = "application/merge-patch+json";
/** Changes an object by a JSON merge patch, or throws what the server said. */
export async function patch(path, change) {
  const { status, body } = await api("PATCH", path, change, MERGE);
  if (status !== 200) throw new Error(`${path}: ${JSON.stringify(body)}`);
  return body;
}

/** Runs kubectl: { status, stdout, stderr }. */
export function kubectl(words, input = "") {
  const args = typeof words === "string" ? words.split(" ") : words;
  const env = { KUBECONFIG: kubeconfig, HOME: directory };
  return run(KUBECTL, args, { env, input, killAfter: 90_000 });
}

async function startEtcd() {
  const [client, peer] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${client}`;
  const peers = `http://127.0.0.1:${peer}`;
  launch("etcd", join(PROGRAMS, "etcd"), [
    ...["--data-dir", inside("etcd"), "--unsafe-no-fsync", "--log-level", "error"],
    ...["--listen-client-urls", url, "--advertise-client-urls", url],
    ...["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers],
    ...["--initial-cluster", `default=${peers}`],
  ]);
  return url;
}

function writeSecrets() {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  writeFileSync(inside("sa.key"), privateKey, { mode: 0o600 });
  writeFileSync(inside("sa.pub"), publicKey);
  const user = `${token},admin,admin,system:masters\n`;
  writeFileSync(inside("tokens.csv"), user, { mode: 0o600 });
}

function startApiServer(etcd) {
  return launch("kube-apiserver", join(PROGRAMS, "kube-apiserver"), [
    ...[`--etcd-servers=${etcd}`, `--secure-port=${port}`, "--bind-address=127.0.0.1"],
    ...["--advertise-address=10.0.0.1", "--endpoint-reconciler-type=none"],
    ...[`--cert-dir=${inside("certs")}`, "--authorization-mode=RBAC", "--allow-privileged=true"],
    ...[`--token-auth-file=${inside("tokens.csv")}`, "--service-cluster-ip-range=10.96.0.0/16"],
    ...[`--service-account-key-file=${inside("sa.pub")}`],
    ...[`--service-account-signing-key-file=${inside("sa.key")}`],
    "--service-account-issuer=https://kubernetes.default.svc",
  ]);
}

function writeKubeconfig() {
  const certificate = readFileSync(inside("certs/apiserver.crt"));
  const cluster = {
    server: `https://127.0.0.1:${port}`,
    "certificate-authority-data": certificate.toString("base64"),
  };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    "current-context": "test",
  };
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  agent = new Agent({ keepAlive: true, maxSockets: 4, ca: certificate });
  after(() => agent.destroy());
}

function startOthers() {
  const auth = [`--kubeconfig=${kubeconfig}`, "--leader-elect=false", "--secure-port=0"];
  launch("kube-controller-manager", join(PROGRAMS, "kube-controller-manager"), [
    ...[...auth, `--controllers=${CONTROLLERS}`],
    `--service-account-private-key-file=${inside("sa.key")}`,
    `--root-ca-file=${inside("certs/apiserver.crt")}`,
  ]);
  launch("kube-scheduler", join(PROGRAMS, "kube-scheduler"), auth);
}

/** Starts everything, and ends it with the test. */
export async function startCluster() {
  if (!existsSync(join(PROGRAMS, "go.sum")))
    throw new Error("there is no control plane: bash scripts/dev/control_plane.sh");
  mkdirSync(directory, { mode: 0o700 });
  writeSecrets();
  port = await freePort();
  const server = startApiServer(await startEtcd());
  const certificate = inside("certs/apiserver.crt");
  await until("the server has a certificate", () => existsSync(certificate), START);
  writeKubeconfig();
  const ready = async () => {
    if (!server.running) throw new Error("the API server has ended");
    return (await api("GET", "/readyz").catch(() => ({}))).status === 200;
  };
  await until("the API server is ready", ready, START);
  startOthers();
  const account = () => api("GET", "/api/v1/namespaces/default/serviceaccounts/default");
  await until("the controllers work", async () => (await account()).status === 200, START);
}

const CAPACITY = { cpu: "4", memory: "8Gi", pods: "110", "ephemeral-storage": "20Gi" };

/** A node that is ready: its labels, taints and further resources. */
export async function addNode(name, { labels = {}, taints = [], resources = {} } = {}) {
  const all = { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", ...labels };
  const metadata = { name, labels: all };
  await api("POST", "/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata });
  const amount = { ...CAPACITY, ...resources };
  const conditions = [{ type: "Ready", status: "True", reason: "KubeletReady" }];
  const status = { capacity: amount, allocatable: amount, conditions };
  await patch(`/api/v1/nodes/${name}/status`, { status });
  // The server adds one until the controller of nodes has seen it.
  await patch(`/api/v1/nodes/${name}`, { spec: { taints } });
}

let served = 0;

const podsIn = (namespace) => `/api/v1/namespaces/${namespace}/pods`;
/** All pods of a namespace. */
export async function podsOf(namespace) {
  const { status, body } = await api("GET", podsIn(namespace));
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body.items;
}

const isReady = ({ status }) =>
  status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");

async function serve(pod, lingering) {
  const { name, namespace, deletionTimestamp } = pod.metadata;
  const path = `${podsIn(namespace)}/${name}`;
  if (deletionTimestamp && !lingering()) {
    await api("DELETE", path, { gracePeriodSeconds: 0 });
  } else if (!deletionTimestamp && pod.spec.nodeName && !isReady(pod)) {
    const address = `10.1.0.${1 + (served++ % 250)}`;
    const conditions = ["Initialized", "ContainersReady", "Ready"];
    await patch(`${path}/status`, {
      status: {
        phase: "Running",
        podIP: address,
        podIPs: [{ ip: address }],
        conditions: conditions.map((type) => ({ type, status: "True" })),
      },
    });
  }
}

/** Plays the kubelets for a namespace. lingering: whether what ends takes its time. */
export function startKubelets(namespace, lingering = () => false) {
  let going = true;
  const rounds = (async () => {
    while (going) {
      for (const pod of await podsOf(namespace)) await serve(pod, lingering);
      await sleep(100);
    }
  })();
  return async () => {
    going = false;
    await rounds;
  };
}
