/** What stands in a secret's place. */
const secret = "[secret]";

// Bounded repetitions only: prompts are untrusted and long.
const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,8000}?-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g, secret],
  // Keys that say by their beginning whose they are: OpenAI and Anthropic, GitHub, GitLab, Slack, Langfuse, AWS, Google, Stripe, Hugging Face, npm, Groq,
  // Vault, PyPI, SendGrid, Docker, DigitalOcean, Grafana, Shopify, Linear, Databricks, Supabase, Replicate, Perplexity, Telegram, age.
  [/(?<![A-Za-z0-9])(?:sk|pk|rk)-[A-Za-z0-9_-]{16,250}/g, secret],
  [
    /(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|gl(?:pat|ptt|cbt|rt|soat|dt|ft|agent|oas)-[\w.-]{16,300})/g,
    secret,
  ],
  [
    /(?<![A-Za-z0-9])(?:xox[a-z](?:\.[a-z]{1,10})?-[\w-]{10,250}|xapp-[\w-]{10,250}|xwfp-[\w-]{10,250}|lf-whsec_\w{8,200}|whsec_[\w+/=-]{16,200})/g,
    secret,
  ],
  [
    /(?<![A-Za-z0-9])(?:(?:AKIA|ASIA|AGPA|AIDA|AROA|ABIA|ACCA)[0-9A-Z]{16}(?![0-9A-Z])|AIza[\w-]{35}|ya29\.[\w-]{20,300}|GOCSPX-[\w-]{20,60})/g,
    secret,
  ],
  [/(?<![A-Za-z0-9])(?:sk|pk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,250}/g, secret],
  [
    /(?<![A-Za-z0-9])(?:hf|npm|gsk|r8|lin_api|pplx|xai|glsa|glc|sbp|sntry[su]|ntn|rubygems|dop_v1|doo_v1|dor_v1)[_-][A-Za-z0-9]{16,300}[\w=+/-]{0,300}/g,
    secret,
  ],
  [/(?<![A-Za-z0-9])(?:dckr_(?:pat|oat)_|nvapi-|shp(?:at|ca|pa|ss)_|figd_|pat-[a-z]{2}\d-|tskey-[a-z]{2,10}-)[\w-]{16,300}/g, secret],
  [
    /(?<![A-Za-z0-9])(?:hv[sbr]\.[\w-]{20,400}|pypi-[\w-]{16,400}|SG\.[\w-]{16,64}\.[\w-]{16,100}|dapi[0-9a-f]{32}|AGE-SECRET-KEY-1[0-9A-Z]{58})/g,
    secret,
  ],
  [/(?<![0-9A-Za-z])\d{8,10}:AA[\w-]{33}(?![\w-])/g, secret],
  [/(?<![A-Za-z0-9])eyJ[\w-]{8,2000}\.[\w-]{8,4000}\.[\w-]{8,1000}/g, secret],
  [
    /((?:proxy-)?authorization(?:\\?["'])?\s{0,5}[:=]\s{0,5}(?:\\?["'])?(?![A-Za-z]{1,20} \[secret\])(?:[A-Za-z]{1,20} )?)(?!\[secret\])[^\s"'\\,]{6,2000}/gi,
    `$1${secret}`,
  ],
  [/\b(Bearer|Basic) [\w.~+/-]{8,2000}={0,2}/g, `$1 ${secret}`],
  [/(:\/\/[^\s/:@"'\\]{0,100}:)[^\s/@"'\\]{1,200}@/g, `$1${secret}@`],
  // A user name alone, where a token stands in for a name and a password.
  [/(:\/\/)[\w-]{20,200}@/g, `$1${secret}@`],
  // Addresses that are secrets as a whole: incoming webhooks.
  [/(hooks\.slack\.com\/(?:services|workflows|triggers)\/)[\w/-]{8,200}/gi, `$1${secret}`],
  [/(discord(?:app)?\.com\/api\/webhooks\/)[\w/-]{8,200}/gi, `$1${secret}`],
  [
    /(webhook\.office\.com\/webhookb2\/|\.logic\.azure\.com(?::443)?\/workflows\/|chat\.googleapis\.com\/v1\/spaces\/|api\.telegram\.org\/bot|hooks\.zapier\.com\/hooks\/catch\/|events\.pagerduty\.com\/integration\/|outlook\.office\.com\/webhook\/)[^\s"'<>\\]{8,600}/gi,
    `$1${secret}`,
  ],
  // Parameters of addresses that hold a secret.
  [
    /([?&;](?:[\w-]{0,30}(?:key|token|secret|signature|passw(?:or)?d|credential)|sig|auth|code|pwd|pass)=)[^\s&"'<>\\#]{6,1000}/gi,
    `$1${secret}`,
  ],
  // A word that names a secret, then its value; quotes may be escaped, as in JSON inside JSON. Numbers are none: `max_tokens: 128000`.
  [
    /((?:passw(?:or)?d|passphrase|passwd|secret|token|credential|(?:api|access|account|private|signing|encryption|shared|storage|subscription|master|service)[_-]?(?:access[_-]?)?key|secret[_-]?access[_-]?key)s?(?:\\?["'])?\s{0,5}(?:[:=]|=>|:=)\s{0,5}(?:\\?["'])?)(?!\d{1,20}\b)(?!\[secret\])[^\s"'\\,;(){}[\]]{6,200}/gi,
    `$1${secret}`,
  ],
  // Options of commands, and the words of netrc files: the value comes behind a blank. A command may be named by its path.
  [
    /((?:^|\s)--?(?:[\w-]{0,30}(?:password|passwd|passphrase|secret|token|api-?key|access-?key|credentials?)|pass|pwd)(?:\s{1,3}|=)(?:\\?["'])?)(?!-)[^\s"'\\]{4,200}/gi,
    `$1${secret}`,
  ],
  [
    /((?<![A-Za-z0-9_])(?:curl|wget|http)(?:\.exe)?\s(?:[^\n]{0,200}\s)?(?:-u|--user)\s{1,3}(?:\\?["'])?[^\s:"']{1,100}:)[^\s"'\\]{1,200}/gi,
    `$1${secret}`,
  ],
  [/((?:^|[\s"'`])(?:login|user)\s{1,3}\S{1,100}\s{1,3}password\s{1,3})\S{1,200}/gi, `$1${secret}`],
  [/(\bPGPASSWORD=|\bMYSQL_PWD=|\bREDISCLI_AUTH=|\bSSHPASS=)(?!\[secret\])[^\s"'\\]{1,200}/g, `$1${secret}`],
  [/\b[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}\b/g, "[address]"],
];

/**
 * A text without what looks like a secret or an e-mail address. It knows shapes and not meanings: what people would not recognise as a secret stays.
 * Pure, and linear in the text's length.
 */
export function maskSecrets(text: string): string {
  return shapes.reduce((masked, [shape, replacement]) => masked.replaceAll(shape, replacement), text);
}
