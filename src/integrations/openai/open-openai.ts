import { loadProviderSdk } from "../../llm/batches/provider/load-provider-sdk.ts";
import { clientOptions, type ProviderAccess } from "../../llm/batches/provider/provider-access.ts";

/** Loads OpenAI's SDK and makes a client. Rejects with ProviderSdkMissing when the SDK is not installed. */
export async function openOpenAi({ baseUrl, apiKey }: ProviderAccess) {
  const { default: OpenAI, toFile } = await loadProviderSdk("openai", async () => import("openai"));
  return { client: new OpenAI({ ...clientOptions, baseURL: baseUrl, apiKey, organization: null, project: null }), toFile };
}
