import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { z } from "zod";
import { defaultMetricsPorts } from "../../src/app/start-metrics.ts";
import { commandList } from "../../src/cli/command-list.ts";
import { secretKeys, settingsSchema } from "../../src/platform/config/settings-schema.ts";
import { metricsPath } from "../../src/platform/http/create-metrics-server.ts";
import { createProbes } from "../../src/platform/http/probes.ts";
import { parseDockerfile } from "./dockerfile.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

const service = z.looseObject({
  image: z.string(),
  build: z.string().optional(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
});
const composeShape = z.looseObject({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.null()) });

const text = read("compose.yaml");
const { services, volumes } = composeShape.parse(parse(text, { merge: true }));
const all = Object.entries(services).map(([name, one]) => ({ name, ...one }));
const ours = all.filter(({ build }) => build !== undefined);
const port = settingsSchema.shape.RUNBOOKD_PORT.parse(undefined);

/** The first release that its project still maintained when this list was last looked at, in November 2026. */
const maintainedFrom: Readonly<Record<string, string>> = {
  redis: "8.8.0",
  "prom/prometheus": "3.14.0",
  "prom/alertmanager": "0.33.0",
  "grafana/grafana": "13.0.0",
  "axllent/mailpit": "1.30.0",
};

/** `1.2.3` and `v1.2.3-alpine` as numbers that compare. */
const comparable = (version: string): string =>
  (/\d+\.\d+\.\d+/.exec(version)?.[0] ?? "")
    .split(".")
    .map((part) => part.padStart(5, "0"))
    .join(".");

describe("compose.yaml", () => {
  it("has a server and a worker of ours", () => {
    expect(ours.map(({ name, command }) => [name, command])).toEqual([
      ["runbookd", ["server"]],
      ["worker", ["worker"]],
    ]);
    const commands = commandList.map(({ usage }) => usage.split(" ")[0]);
    for (const { command } of ours) expect(commands).toContain(command[0]);
  });

  it("pins each image to a release that is maintained", () => {
    const images = new Set(all.filter(({ build }) => build === undefined).map(({ image }) => image));
    const old = [...images].filter((image) => {
      const [name = "", tag = ""] = image.split(":");
      return comparable(tag) < comparable(maintainedFrom[name] ?? "99999.0.0");
    });
    expect(images.size).toBe(Object.keys(maintainedFrom).length);
    expect(old).toEqual([]);
  });

  it("mounts only what exists", () => {
    const sources = all.flatMap((one) => one.volumes.map((mount) => mount.split(":")[0] ?? ""));
    expect(sources.length).toBeGreaterThan(5);
    expect(sources.filter((source) => (source.startsWith(".") ? !existsSync(join(root, source)) : !(source in volumes)))).toEqual([]);
    expect(Object.keys(volumes).filter((name) => !sources.includes(name))).toEqual([]);
  });

  it("mounts into folders that the image has", () => {
    const copied =
      parseDockerfile(read("Dockerfile"))
        .at(-1)
        ?.instructions.map((instruction) => instruction.text) ?? [];
    const targets = ours
      .flatMap((one) => one.volumes.map((mount) => mount.split(":")[1] ?? ""))
      .filter((target) => target.startsWith("/app/"));
    const missing = targets.filter((target) => !copied.some((line) => line.includes(target.replace("/app/", ""))));
    expect({ targets: [...new Set(targets)], missing }).toEqual({ targets: ["/app/runbooks", "/app/.runbookd"], missing: [] });
  });

  it("sets only settings that there are", () => {
    const known = new Set([...Object.keys(settingsSchema.shape), ...secretKeys.map((key) => `${key}_FILE`)]);
    const foreign = { grafana: /^GF_[A-Z_]+$/ };
    const unknown = all.flatMap(({ name, environment }) =>
      Object.keys(environment).filter((key) => !(name === "grafana" ? foreign.grafana.test(key) : known.has(key))),
    );
    expect(ours.every(({ environment }) => Object.keys(environment).length > 5)).toBe(true);
    expect(unknown).toEqual([]);
  });

  it("sets them to what they accept", () => {
    for (const { environment } of ours) {
      const given = Object.fromEntries(Object.entries(environment).filter(([key]) => !key.endsWith("_FILE")));
      expect(settingsSchema.safeParse(given)).toMatchObject({ success: true });
    }
  });

  it("publishes the port of the API and those of its header, on loopback only", () => {
    const published = all.flatMap((one) => one.ports);
    expect(published.filter((mapping) => !/^127\.0\.0\.1:(\d+):\1$/.test(mapping))).toEqual([]);
    const header = text.slice(0, text.indexOf("services:"));
    const named = [...header.matchAll(/http:\/\/localhost:(\d+)/g)].map(([, number = ""]) => number);
    expect(named).toContain(String(port));
    expect(published.map((mapping) => mapping.split(":").at(-1) ?? "").toSorted()).toEqual(named.toSorted());
  });

  it("asks for health where the program answers", () => {
    const probes = createProbes({
      readiness: { conditions: async () => [] },
      closing: new AbortController().signal,
      tokens: { verify: async () => undefined },
    });
    const routes = new Set([...probes.map(({ path }) => path), metricsPath]);
    const asked = (words: string) => [...words.matchAll(/http:\/\/127\.0\.0\.1:(?:(\d+)|\$\{[^}]*\?\? (\d+)\})(\/[a-z]+)/g)];
    const [server] = asked(read("Dockerfile"));
    const [worker] = asked(services["worker"]?.healthcheck?.test.join(" ") ?? "");
    expect([Number(server?.[2]), Number(worker?.[1])]).toEqual([port, defaultMetricsPorts.worker]);
    expect([server?.[3], worker?.[3]].filter((path) => path === undefined || !routes.has(path))).toEqual([]);
  });

  it("exposes the ports that the image listens on", () => {
    const exposed = parseDockerfile(read("Dockerfile"))
      .at(-1)
      ?.instructions.find(({ name }) => name === "EXPOSE")?.text;
    expect(exposed).toBe(`${port} ${defaultMetricsPorts.server}`);
  });
});

describe("alerts/prometheus.yml", () => {
  it("scrapes a server and a worker where they serve metrics", () => {
    const targets = [...read("alerts/prometheus.yml").matchAll(/"localhost:(\d+)"/g)].map(([, number]) => Number(number));
    expect(targets).toEqual(expect.arrayContaining(Object.values(defaultMetricsPorts)));
  });
});
