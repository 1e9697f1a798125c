import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { ParamSpec } from "../../../packages/sdk/src/wire/runbooks.ts";
import { parseDuration } from "../../core/duration.ts";

/** Whether a value is of a parameter's type; the same for a default in the document and for what a start brings. */
export function fitsType(type: ParamSpec["type"], value: Json): boolean {
  switch (type) {
    case "string":
      return typeof value === "string";
    case "duration":
      return typeof value === "string" && parseDuration(value) !== undefined;
    case "boolean":
      return typeof value === "boolean";
    case "integer":
      return Number.isSafeInteger(value);
    case "number":
      return Number.isFinite(value);
  }
}
