/** A label or annotation of an alert. */
export interface AlertField {
  readonly kind: "labels" | "annotations";
  readonly name: string;
}

/** What {@link readAlertField} accepts, for messages. */
export const alertFieldGrammar =
  '`alert.labels.NAME`, `alert.annotations.NAME`, or with any name in quotes: `alert.labels["service.name"]`';

/** The field that a text such as `alert.labels.job` or `alert.labels["service.name"]` names; undefined when it names none. */
export function readAlertField(text: string): AlertField | undefined {
  const plain = /^alert\.(labels|annotations)\.([A-Za-z_][A-Za-z0-9_]*)$/u.exec(text);
  const quoted = /^alert\.(labels|annotations)\[(?:"([^"\\\p{Cc}]+)"|'([^'\\\p{Cc}]+)')\]$/u.exec(text);
  const kind = plain?.[1] ?? quoted?.[1];
  const name = plain?.[2] ?? quoted?.[2] ?? quoted?.[3];
  return (kind === "labels" || kind === "annotations") && name !== undefined ? { kind, name } : undefined;
}
