import { join } from "node:path";
import { findProgram } from "../../demo/find-program.ts";
import { type ServiceOnPort, startOnPort } from "./start-on-port.ts";

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
}): Promise<ServiceOnPort> {
  return startOnPort(findProgram("prometheus-alertmanager", "alertmanager"), { ...files, "alertmanager.yml": config }, (folder, address) =>
    [
      ["--config.file", join(folder, "alertmanager.yml"), "--storage.path", join(folder, "data")],
      ["--web.listen-address", address, "--log.level", "warn"],
      clusterArguments(cluster),
    ].flat(),
  );
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
