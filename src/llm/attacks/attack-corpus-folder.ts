import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { featureNameSchema } from "../../../packages/sdk/src/wire/flags.ts";
import type { Diagnostic } from "../../../packages/sdk/src/wire/runbooks.ts";
import { readRegularFile } from "../../platform/read-regular-file.ts";
import { decodeTextFile } from "../../runbooks/text-file.ts";
import type { AttackCorpora } from "./attack.ts";
import { corpusLimits } from "./attack-corpus-schema.ts";
import { type CorpusParse, parseAttackCorpus } from "./parse-attack-corpus.ts";

/** The folder of the corpora: one file `<feature>.yml` for each feature. */
export interface AttackCorpusFolder extends AttackCorpora {
  /** Features that have a file, by name; undefined: the folder cannot be read. */
  list(): Promise<readonly string[] | undefined>;
  /** The corpus with the places of its faults; undefined: there is no such file. */
  parse(feature: string): Promise<CorpusParse | undefined>;
}

const ending = ".yml";

/** Reads corpora anew each time, so that an attack that is added is replayed without a restart. */
export function createAttackCorpusFolder(folder: string): AttackCorpusFolder {
  const parse = async (feature: string): Promise<CorpusParse | undefined> => {
    const file = join(folder, `${feature}${ending}`);
    const refuse = (message: string): CorpusParse => ({ diagnostics: [fault(file, message)] });
    if (!featureNameSchema.safeParse(feature).success) return refuse("The file is not named after a feature.");
    const read = await readRegularFile(file, { maxBytes: corpusLimits.fileBytes });
    if (read.kind !== "read") return read.kind === "refused" && read.reason === "ENOENT" ? undefined : refuse(reasonOf(read));
    const decoded = decodeTextFile(file, read.bytes);
    return decoded.fault === undefined ? parseAttackCorpus({ feature, ...decoded }) : { diagnostics: [decoded.fault] };
  };
  return {
    parse,
    async list() {
      try {
        const names = await readdir(folder);
        return names
          .filter((name) => name.endsWith(ending) && !name.startsWith("."))
          .map((name) => name.slice(0, -ending.length))
          .toSorted();
      } catch {
        return undefined;
      }
    },
    async read(feature) {
      const parsed = await parse(feature);
      if (parsed === undefined) return { kind: "none" };
      const { corpus, diagnostics } = parsed;
      return corpus === undefined
        ? { kind: "unreadable", faults: diagnostics.map((one) => describeFault(one)) }
        : { kind: "corpus", corpus };
    },
  };
}

function reasonOf(read: { readonly kind: string; readonly reason?: string }): string {
  return `The file cannot be read${read.reason === undefined ? "" : ` (${read.reason})`}.`;
}

function fault(file: string, message: string): Diagnostic {
  return { file, position: { line: 1, column: 1 }, severity: "error", rule: "attack-corpus", message, accepted: "a file of at most 4 MB" };
}

function describeFault({ file, position, message, accepted }: Diagnostic): string {
  return `${file}:${position.line}:${position.column}: ${message} Accepted: ${accepted}.`;
}
