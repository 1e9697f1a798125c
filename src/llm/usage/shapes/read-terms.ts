import type { ModalTokens, PriceTerms } from "../price-table.ts";
import type { UsageSource } from "../usage-source.ts";

/** What Anthropic and gateways write beside the counts: tier, speed, region and the requests to server tools. */
export function readTerms(source: UsageSource): PriceTerms {
  const tools = source.child("server_tool_use");
  return priceTerms({
    serviceTier: source.text("service_tier"),
    speed: source.text("speed"),
    geography: source.text("inference_geo"),
    tools: Object.fromEntries(tools.keys().map((key) => [toolOf(key), tools.count(key) ?? 0])),
  });
}

/** Terms without those that are not given. */
export function priceTerms({
  tools = {},
  audio,
  image,
  ...texts
}: { readonly [Term in keyof PriceTerms]: PriceTerms[Term] | undefined }): PriceTerms {
  const used = Object.fromEntries(Object.entries(tools).filter(([, count]) => count > 0));
  return {
    ...(texts.serviceTier !== undefined && { serviceTier: texts.serviceTier }),
    ...(texts.speed !== undefined && { speed: texts.speed }),
    ...(texts.geography !== undefined && { geography: texts.geography }),
    ...(Object.keys(used).length > 0 && { tools: used }),
    ...(hasTokens(audio) && { audio }),
    ...(hasTokens(image) && { image }),
  };
}

function hasTokens(tokens: ModalTokens | undefined): tokens is ModalTokens {
  return tokens !== undefined && Object.values(tokens).some((count) => typeof count === "number" && count > 0);
}

function toolOf(key: string): string {
  return key.replace(/_requests$/, "").slice(0, 60);
}
