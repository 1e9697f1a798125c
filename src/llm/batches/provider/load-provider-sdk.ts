/** A provider is configured whose SDK is not installed; the message names the command that installs it. */
export class ProviderSdkMissing extends Error {
  override readonly name = "ProviderSdkMissing";
}

/** The SDKs are optional peer dependencies of the package; these are the versions that it is tested with. */
export const providerSdks = { "@anthropic-ai/sdk": "1.14.0", openai: "6.49.0" } as const;

/** Loads an SDK by `load`, a dynamic import. Rejects with {@link ProviderSdkMissing} when it is not installed. */
export async function loadProviderSdk<Module>(name: keyof typeof providerSdks, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    throw new ProviderSdkMissing(`The package ${name} is not installed. Install it beside runbookd: npm i ${name}@${providerSdks[name]}`, {
      cause: error,
    });
  }
}

/** A package that the SDK itself misses is another fault. */
function isMissing(error: unknown, name: string): boolean {
  if (typeof error !== "object" || error === null || !("code" in error) || !("message" in error)) return false;
  return error.code === "ERR_MODULE_NOT_FOUND" && String(error.message).startsWith(`Cannot find package '${name}'`);
}
