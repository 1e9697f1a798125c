/** What stands in a secret's place. */
const secret = "[secret]";

// Bounded repetitions only: prompts are untrusted and long.
const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]{0,8000}?-----END [A-Z ]{0,40}PRIVATE KEY-----/g, secret],
  // Keys that say by their beginning whose they are: OpenAI and Anthropic, GitHub, GitLab, Slack, Langfuse, AWS, Google.
  [/\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,250}/g, secret],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|glpat-[\w-]{16,100}|xox[abeoprs]-[\w-]{10,250}|lf-whsec_\w{8,200})/g, secret],
  [/\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}\b|AIza[\w-]{35})/g, secret],
  [/\beyJ[\w-]{8,2000}\.[\w-]{8,4000}\.[\w-]{8,1000}/g, secret],
  [/\b(Bearer|Basic) [\w.~+/-]{8,2000}={0,2}/g, `$1 ${secret}`],
  [/(:\/\/[^\s/:@"'\\]{0,100}:)[^\s/@"'\\]{1,200}@/g, `$1${secret}@`],
  // A word that names a secret, then its value; quotes may be escaped, as in JSON inside JSON. Numbers are none: `max_tokens: 128000`.
  [
    /((?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|credential)s?(?:\\?["'])?\s{0,5}[:=]\s{0,5}(?:\\?["'])?)(?!\d{1,20}\b)[^\s"'\\,;(){}[\]]{6,200}/gi,
    `$1${secret}`,
  ],
  [/\b[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}\b/g, "[address]"],
];

/**
 * A text without what looks like a secret or an e-mail address. It knows shapes and not meanings: what people would not recognise as a secret stays.
 * Pure, and linear in the text's length.
 */
export function maskSecrets(text: string): string {
  return shapes.reduce((masked, [shape, replacement]) => masked.replaceAll(shape, replacement), text);
}
