import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePort } from "../../demo/free-ports.ts";
import { isReadyAt, spawnService } from "./spawn-service.ts";

/** A program on a port of this machine, in a folder of its own. Disposing ends it and removes the folder. */
export interface ServiceOnPort extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Where its files lie; it was started there. */
  readonly folder: string;
  stop(signal?: NodeJS.Signals): Promise<void>;
  output(): string;
}

/** Starts a program with these files (path → text) on a free loopback port, and resolves once its `/-/ready` says so. */
export async function startOnPort(
  binary: string,
  files: { readonly [path: string]: string },
  argumentsOf: (folder: string, address: string) => readonly string[],
): Promise<ServiceOnPort> {
  const folder = await mkdtemp(join(tmpdir(), "rb-service-"));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { mode: 0o600 });
  }
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const service = await spawnService(binary, argumentsOf(folder, `127.0.0.1:${port}`), () => isReadyAt(`${url}/-/ready`), { cwd: folder });
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
