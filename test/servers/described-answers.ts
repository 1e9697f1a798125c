import { isDeepStrictEqual } from "node:util";
import { z } from "zod";

const refs = (value: unknown): string => JSON.stringify(value).replaceAll('"#/components/schemas/', '"#/$defs/');
const answerSchema = z.looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.looseObject({}).optional() })).optional() });
const descriptionSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ responses: z.record(z.string(), answerSchema) }))),
  components: z.looseObject({ schemas: z.record(z.string(), z.looseObject({})) }),
});

/** Without prototypes of another realm, which a test runner gives. */
const copyOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** What /openapi.json says about bodies, to hold answers against. */
export interface DescribedAnswers {
  /** `GET /api/runs/{id}` and so on, of every route whose success has a schema. */
  readonly routes: readonly string[];
  /** Routes that have answered with a success so far. */
  readonly seen: ReadonlySet<string>;
  /** Throws when a success body is not what the route's schema says, or when the route is not described. */
  check(answer: {
    readonly route: string;
    readonly status: number;
    readonly type?: "application/json" | "text/event-stream";
    readonly body: unknown;
  }): void;
}

/** Reads the description of a running server. */
export async function readDescription(url: string): Promise<DescribedAnswers> {
  const { paths, components } = descriptionSchema.parse(await (await fetch(`${url}/openapi.json`)).json());
  const definitions: unknown = JSON.parse(refs(components.schemas));
  const schemas = new Map<string, z.ZodType>();
  for (const [path, methods] of Object.entries(paths))
    for (const [method, { responses }] of Object.entries(methods))
      for (const [status, { content = {} }] of Object.entries(responses))
        for (const [type, { schema }] of Object.entries(content)) {
          if (schema === undefined || !status.startsWith("2")) continue;
          const text = JSON.parse(refs(schema));
          schemas.set(`${method.toUpperCase()} ${path} ${status} ${type}`, z.fromJSONSchema({ ...text, $defs: definitions }));
        }
  const seen = new Set<string>();
  return {
    routes: [...new Set([...schemas.keys()].map((key) => key.split(" ").slice(0, 2).join(" ")))],
    seen,
    check({ route, status, type = "application/json", body }) {
      const schema = schemas.get(`${route} ${status} ${type}`);
      if (schema === undefined)
        throw new Error(`${route} answered ${status}, which is not described: ${JSON.stringify(body).slice(0, 300)}`);
      const parsed = schema.safeParse(body);
      const issues = parsed.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
      if (!parsed.success) throw new Error(`${route} does not answer what is described: ${issues}\n${JSON.stringify(body).slice(0, 2000)}`);
      if (!isDeepStrictEqual(copyOf(parsed.data), copyOf(body)))
        throw new Error(`${route} answers more than is described: ${JSON.stringify(body).slice(0, 2000)}`);
      seen.add(route);
    },
  };
}
