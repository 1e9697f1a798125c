import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { z } from "zod";

/** A package registry on loopback. */
export interface CheckoutRegistry extends AsyncDisposable {
  readonly url: string;
  /** Names of packages that were asked for. */
  readonly asked: ReadonlySet<string>;
}

const lockShape = z.looseObject({ packages: z.record(z.string(), z.looseObject({ link: z.boolean().optional() })) });
const packageShape = z.looseObject({ name: z.string(), version: z.string() });

/** Serves what the checkout has installed, without the network. It has nothing of ours: the workspace's own packages come from tarballs. */
export async function startCheckoutRegistry(root: string): Promise<CheckoutRegistry> {
  const { packages } = lockShape.parse(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")));
  const versions = new Map<string, Map<string, { readonly manifest: object; readonly path: string }>>();
  for (const [path, { link }] of Object.entries(packages)) {
    if (link === true || !path.includes("node_modules/") || !existsSync(join(root, path, "package.json"))) continue;
    const manifest = packageShape.parse(JSON.parse(readFileSync(join(root, path, "package.json"), "utf8")));
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    versions.set(name, (versions.get(name) ?? new Map()).set(manifest.version, { manifest, path }));
  }

  const asked = new Set<string>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "").slice(1);
    if (path.startsWith("-/")) return sendTarball(join(root, path.slice(2)), response);
    asked.add(path);
    const known = versions.get(path);
    if (known === undefined) return response.writeHead(404).end("{}");
    const listed = [...known].map(([version, entry]) => [version, { ...entry.manifest, dist: { tarball: `${url()}-/${entry.path}` } }]);
    response.writeHead(200, { "content-type": "application/json" });
    return response.end(JSON.stringify({ name: path, "dist-tags": { latest: listed[0]?.[0] }, versions: Object.fromEntries(listed) }));
  });
  const url = () => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The registry listens on no port.");
    return `http://127.0.0.1:${address.port}/`;
  };
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: url(),
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function sendTarball(folder: string, response: ServerResponse): void {
  const tar = spawn("tar", ["-cf", "-", "--exclude", "./node_modules", "-C", folder, "."], { stdio: ["ignore", "pipe", "inherit"] });
  response.writeHead(200, { "content-type": "application/octet-stream" });
  tar.stdout.pipe(response);
}
