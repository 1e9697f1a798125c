import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { loadProviderSdk, ProviderSdkMissing, providerSdks } from "./load-provider-sdk.ts";

const failing = (code: string, message: string) => async () => Promise.reject(Object.assign(new Error(message), { code }));

describe("the SDK of a provider", () => {
  it("is what the import answers", async () => {
    expect(await loadProviderSdk("openai", async () => Promise.resolve(7))).toBe(7);
  });

  it("is installed with the command in the message when it is missing", async () => {
    const load = failing("ERR_MODULE_NOT_FOUND", "Cannot find package '@anthropic-ai/sdk' imported from /app/x.js");
    const loading = loadProviderSdk("@anthropic-ai/sdk", load);
    await expect(loading).rejects.toThrow(ProviderSdkMissing);
    await expect(loading).rejects.toThrow(`npm i @anthropic-ai/sdk@${providerSdks["@anthropic-ai/sdk"]}`);
  });

  it.each([
    ["lacks a package of its own", failing("ERR_MODULE_NOT_FOUND", "Cannot find package 'fetch-blob' imported from /app/openai.js")],
    ["throws while it is loaded", failing("ERR_OTHER", "Cannot find package 'openai'")],
  ])("is not called missing when it %s", async (_, load) => {
    await expect(loadProviderSdk("openai", load)).rejects.not.toThrow(ProviderSdkMissing);
  });

  it("is named in the version that the tests use, which package.json permits", () => {
    const manifest = z
      .looseObject({ devDependencies: z.record(z.string(), z.string()), peerDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(join(import.meta.dirname, "../../../../package.json"), "utf8")));
    expect(manifest.devDependencies).toMatchObject(providerSdks);
    expect(manifest.peerDependencies).toEqual(
      Object.fromEntries(Object.entries(providerSdks).map(([name, version]) => [name, `^${version}`])),
    );
  });
});
