import { z } from "zod";

/**
 * The schema with which a client reads an answer. The server may be newer than the client, so fields that the client does not know, words beyond a closed
 * set, kinds beyond a union and numbers beyond a limit are kept as they are; what is read, changed and sent back loses nothing. What the client does know
 * stays required and typed.
 */
export function tolerant<Output>(schema: z.ZodType<Output>): z.ZodType<Output>;
export function tolerant(schema: z.core.$ZodType): z.core.$ZodType {
  return relaxed(schema);
}

function relaxed(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodEnum || schema instanceof z.ZodString) return z.string();
  if (schema instanceof z.ZodNumber) return z.number();
  if (schema instanceof z.ZodArray) return z.array(relaxed(schema.element));
  if (schema instanceof z.ZodRecord) return z.record(z.string(), relaxed(schema.valueType));
  if (schema instanceof z.ZodObject) return relaxedObject(schema);
  if (schema instanceof z.ZodDiscriminatedUnion) return relaxedKinds(schema);
  if (schema instanceof z.ZodUnion) return z.union(schema.options.map(relaxed));
  if (schema instanceof z.ZodNullable) return z.nullable(relaxed(schema.unwrap()));
  if (schema instanceof z.ZodExactOptional) return z.exactOptional(relaxed(schema.unwrap()));
  if (schema instanceof z.ZodOptional) return z.optional(relaxed(schema.unwrap()));
  if (schema instanceof z.ZodDefault) return z.prefault(relaxed(schema.unwrap()), schema.def.defaultValue);
  return schema;
}

/** `closed` is a field that keeps its values: the kind by which a union is told apart. */
function relaxedObject({ shape }: z.ZodObject, closed?: string): z.ZodObject {
  return z.looseObject(Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, name === closed ? field : relaxed(field)])));
}

function relaxedKinds(union: z.ZodDiscriminatedUnion): z.core.$ZodType {
  const { discriminator } = union.def;
  const options = union.options.filter((option) => option instanceof z.ZodObject);
  const recognized = z.union(options.map(({ shape }) => z.object({ [discriminator]: shape[discriminator] ?? z.never() })));
  const unknown = z.looseObject({ [discriminator]: z.string() }).refine((value) => !recognized.safeParse(value).success);
  return z.union([...options.map((option) => relaxedObject(option, discriminator)), unknown]);
}
