import { loadProviderSdk } from "../../llm/batches/provider/load-provider-sdk.ts";
import { clientOptions, type ProviderAccess } from "../../llm/batches/provider/provider-access.ts";

/** Loads Anthropic's SDK and makes a client. Rejects with ProviderSdkMissing when the SDK is not installed. */
export async function openAnthropic({ baseUrl, apiKey }: ProviderAccess) {
  const { default: Anthropic } = await loadProviderSdk("@anthropic-ai/sdk", async () => import("@anthropic-ai/sdk"));
  return new Anthropic({ ...clientOptions, baseURL: baseUrl, apiKey, openTelemetry: false });
}
