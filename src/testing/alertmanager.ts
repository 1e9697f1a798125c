import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBinary } from "./find-binary.ts";
import { freePort } from "../demo/free-ports.ts";
import { isReadyAt, spawnService } from "./spawn-service.ts";

/** A real Alertmanager of a test's own. */
export interface AlertmanagerServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  stop(signal?: NodeJS.Signals): Promise<void>;
  output(): string;
}

/** Makes a cluster of Alertmanagers on loopback. */
export interface ClusterMember {
  /** Port of its gossip. */
  readonly port: number;
  readonly peers: readonly number[];
  /** Each waits this long, times its place in the cluster, for those before it to deliver: Alertmanager's `--cluster.peer-timeout`. */
  readonly peerTimeout: string;
}

/** Starts Alertmanager, alone unless it is told of its cluster, on a free loopback port with the text of an `alertmanager.yml` and of the files it names (name → text), e.g. the token. */
export async function startAlertmanager({
  config,
  files = {},
  cluster,
}: {
  readonly config: string;
  readonly files?: { readonly [name: string]: string };
  readonly cluster?: ClusterMember;
}): Promise<AlertmanagerServer> {
  const binary = findBinary("prometheus-alertmanager", "alertmanager");
  const folder = await mkdtemp(join(tmpdir(), "rb-alertmanager-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await writeFile(join(folder, "alertmanager.yml"), config);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  const service = await spawnService(
    binary,
    [
      ["--config.file", join(folder, "alertmanager.yml"), "--storage.path", join(folder, "data")],
      ["--web.listen-address", `127.0.0.1:${port}`, "--log.level", "warn"],
      clusterArguments(cluster),
    ].flat(),
    () => isReadyAt(`${url}/-/ready`),
    { cwd: folder },
  );
  return {
    url,
    port,
    folder,
    stop: (signal) => service.stop(signal),
    output: () => service.output(),
    async [Symbol.asyncDispose]() {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function clusterArguments(cluster: ClusterMember | undefined): readonly string[] {
  if (cluster === undefined) return ["--cluster.listen-address="];
  return [
    `--cluster.listen-address=127.0.0.1:${cluster.port}`,
    ...cluster.peers.map((port) => `--cluster.peer=127.0.0.1:${port}`),
    `--cluster.peer-timeout=${cluster.peerTimeout}`,
    "--cluster.gossip-interval=50ms",
    "--cluster.settle-timeout=5s",
  ];
}
