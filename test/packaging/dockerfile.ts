/** One instruction of a Dockerfile, its continuation lines joined. */
export interface Instruction {
  /** In capitals, e.g. `COPY`. */
  readonly name: string;
  /** What follows the name. */
  readonly text: string;
}

/** One stage: the instructions behind a `FROM`. */
export interface Stage {
  /** Of `FROM … AS name`. */
  readonly name?: string;
  readonly instructions: readonly Instruction[];
}

/** What a `COPY` names. */
export interface Copy {
  /** A stage; the build context without it. */
  readonly from?: string;
  readonly sources: readonly string[];
  readonly target: string;
}

/** The stages of a Dockerfile. Of the syntax it knows what ours uses: comments, continuation lines and `FROM … AS …`. */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: { name?: string; instructions: Instruction[] }[] = [];
  const lines = text.split("\n").filter((line) => !/^\s*#/.test(line));
  for (const line of lines.join("\n").replace(/\\\n/g, "").split("\n")) {
    const [, name = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (name.toUpperCase() === "FROM") {
      const stage = /\sAS\s+(\S+)/i.exec(rest)?.[1];
      stages.push({ ...(stage !== undefined && { name: stage }), instructions: [] });
    } else if (name !== "") stages.at(-1)?.instructions.push({ name: name.toUpperCase(), text: rest.replace(/\s+/g, " ") });
  }
  return stages;
}

/** The sources and the target of a `COPY`; its JSON form is not known. */
export function readCopy({ text }: Instruction): Copy {
  const words = text.split(" ");
  const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
  const places = words.filter((word) => !word.startsWith("--"));
  return { ...(from !== undefined && { from }), sources: places.slice(0, -1), target: places.at(-1) ?? "" };
}
