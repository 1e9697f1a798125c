import type { Flag } from "../../packages/sdk/src/wire/flags.ts";

/** A boolean flag `export` of the feature `export`, on for every ticket unless `more` says otherwise. */
export function aFlag(more: Partial<Flag> = {}): Flag {
  return {
    key: "export",
    type: "boolean",
    variants: { on: true, off: false },
    state: "on",
    offVariant: "off",
    defaultVariant: "on",
    rollout: null,
    feature: "export",
    version: 1,
    at: 0,
    by: "anna",
    reason: "first",
    ...more,
  };
}
