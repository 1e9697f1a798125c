import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBinary } from "./find-binary.ts";
import { freePort } from "./free-port.ts";
import { isReadyAt, spawnService } from "./spawn-service.ts";

/** A real Alertmanager of a test's own. */
export interface AlertmanagerServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  stop(signal?: NodeJS.Signals): Promise<void>;
  output(): string;
}

/** Starts Alertmanager alone (no cluster) on a free loopback port with the text of an `alertmanager.yml` and of the files it names (name → text), e.g. the token. */
export async function startAlertmanager({
  config,
  files = {},
}: {
  readonly config: string;
  readonly files?: { readonly [name: string]: string };
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
      ["--web.listen-address", `127.0.0.1:${port}`, "--cluster.listen-address=", "--log.level", "warn"],
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
