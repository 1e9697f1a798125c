import { z } from "zod";

/** A member of GitHub's answers: absent, null and of another form all mean that it is not known, and cost the others nothing. */
const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().catch(undefined);

const text = z.string();
const instant = z.iso.datetime({ offset: true }).transform((written) => Date.parse(written));

/** Members that alerts of all kinds have. Times that are not known are absent; not every event has them. */
const common = {
  html_url: optional(text),
  created_at: optional(instant),
  updated_at: optional(instant),
  dismissed_at: optional(instant),
  fixed_at: optional(instant),
  state: optional(text),
};
const number = z.int().min(1);

const location = optional(z.object({ path: optional(text), start_line: optional(z.int().min(1)) }));

/** https://docs.github.com/en/rest/code-scanning/code-scanning#list-code-scanning-alerts-for-a-repository */
export const codeScanningAlertShape = z.object({
  ...common,
  number,
  rule: z.object({
    id: optional(text),
    name: optional(text),
    description: optional(text),
    full_description: optional(text),
    security_severity_level: optional(text),
    tags: optional(z.array(z.unknown())),
  }),
  tool: z.object({ name: optional(text) }),
  most_recent_instance: optional(z.object({ message: optional(z.object({ text: optional(text) })), location })),
});

/** https://docs.github.com/en/rest/secret-scanning/secret-scanning#list-secret-scanning-alerts-for-a-repository */
export const secretScanningAlertShape = z.object({
  ...common,
  number,
  secret_type: z.string().min(1),
  secret_type_display_name: optional(text),
  /** Shown by servers that hide no secrets. It is digested and dropped. */
  secret: optional(text),
  resolution: optional(text),
  resolved_at: optional(instant),
  validity: optional(text),
  publicly_leaked: optional(z.boolean()),
  multi_repo: optional(z.boolean()),
  first_location_detected: location,
});

const cvss = optional(z.object({ vector_string: optional(text) }));
const severities = {
  severity: optional(text),
  cvss,
  cvss_severities: optional(z.object({ cvss_v3: cvss, cvss_v4: cvss })),
  cwes: optional(z.array(z.unknown())),
  epss: optional(z.object({ percentage: optional(z.number()) })),
};
const packageName = optional(z.object({ ecosystem: optional(text), name: optional(text) }));

/** https://docs.github.com/en/rest/dependabot/alerts#list-dependabot-alerts-for-a-repository */
export const dependabotAlertShape = z.object({
  ...common,
  number,
  auto_dismissed_at: optional(instant),
  dependency: z.object({ package: packageName, manifest_path: optional(text) }),
  security_advisory: z.object({
    ...severities,
    ghsa_id: optional(text),
    cve_id: optional(text),
    summary: optional(text),
    description: optional(text),
  }),
  security_vulnerability: optional(z.object({ first_patched_version: optional(z.object({ identifier: optional(text) })) })),
});

/** https://docs.github.com/en/rest/security-advisories/repository-advisories#list-repository-security-advisories */
export const repositoryAdvisoryShape = z.object({
  ...common,
  ...severities,
  ghsa_id: z.string().min(1),
  cve_id: optional(text),
  summary: optional(text),
  description: optional(text),
  published_at: optional(instant),
  closed_at: optional(instant),
  withdrawn_at: optional(instant),
  vulnerabilities: optional(z.array(z.object({ package: packageName, patched_versions: optional(text) }))),
});
