/**
 * What names, label keys and label values may look like. Each rule returns what is wrong; valid names cost one match and nothing more.
 * Source: k8s.io/apimachinery/pkg/util/validation.
 */

type Rule = (text: string) => readonly string[];
const fine: readonly string[] = [];

function rule(pattern: RegExp, lengthMax: number, why: string): Rule {
  return (text) => {
    if (text.length <= lengthMax && pattern.test(text)) return fine;
    const reasons: string[] = [];
    if (text.length > lengthMax) reasons.push(tooLongName(lengthMax));
    if (!pattern.test(text)) reasons.push(why);
    return reasons;
  };
}

const tooLongName = (lengthMax: number): string => `must be no more than ${lengthMax} bytes`;

const labelText = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomainText = `${labelText}(\\.${labelText})*`;
const qualifiedText = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const usedFor = 'regex used for validation is';

export const subdomainName = rule(
  new RegExp(`^${subdomainText}$`),
  253,
  `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', ${usedFor} '${subdomainText}')`,
);

export const labelName = rule(
  new RegExp(`^${labelText}$`),
  63,
  `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', ${usedFor} '${labelText}')`,
);

export const dns1035Name = rule(
  /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
  63,
  `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', ${usedFor} '[a-z]([-a-z0-9]*[a-z0-9])?')`,
);

const qualifiedPart = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', ${usedFor} '${qualifiedText}')`;
const qualifiedPattern = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** A label key, a finalizer: `name` or `prefix.example/name`. */
export const qualifiedName: Rule = (text) => {
  const slash = text.indexOf('/');
  if (slash < 0 && text.length <= 63 && qualifiedPattern.test(text)) return fine;
  const parts = text.split('/');
  if (parts.length > 2)
    return [
      `a qualified name ${qualifiedPart} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const reasons: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') reasons.push('prefix part must be non-empty');
    else for (const why of subdomainName(prefix)) reasons.push(`prefix part ${why}`);
  }
  const name = parts.at(-1) ?? '';
  if (name === '') reasons.push('name part must be non-empty');
  else if (name.length > 63) reasons.push(`name part ${tooLongName(63)}`);
  if (!qualifiedPattern.test(name)) reasons.push(`name part ${qualifiedPart}`);
  return reasons;
};

export const labelValue = rule(
  /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/,
  63,
  `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', ${usedFor} '(${qualifiedText})?')`,
);

/** The key of a ConfigMap's or Secret's entry. */
export const configKey: Rule = (text) => {
  const reasons = configKeyPattern(text);
  if (text === '.') return [...reasons, `must not be '.'`];
  if (text === '..') return [...reasons, `must not be '..'`];
  return text.startsWith('..') ? [...reasons, `must not start with '..'`] : reasons;
};

const configKeyPattern = rule(
  /^[-._a-zA-Z0-9]+$/,
  253,
  `a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', ${usedFor} '[-._a-zA-Z0-9]+')`,
);

/** Environment variables: anything printable but '='. */
export const environmentName: Rule = rule(
  /^[ -<>-~]+$/,
  Number.POSITIVE_INFINITY,
  "a valid environment variable name must consist only of printable ASCII characters other than '='",
);

/** A port's name: `http`, `dns-tcp`. */
export const portName: Rule = (text) => {
  const reasons: string[] = [];
  if (text.length > 15) reasons.push('must be no more than 15 bytes');
  if (!/^[-a-z0-9]+$/.test(text))
    reasons.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(text)) reasons.push('must contain at least one letter (a-z)');
  if (text.includes('--')) reasons.push('must not contain consecutive hyphens');
  if (text.startsWith('-') || text.endsWith('-')) reasons.push('must not begin or end with a hyphen');
  return reasons.length === 0 ? fine : reasons;
};

/** `*.example.com`: any one label in front of a domain. */
export const wildcardSubdomainName: Rule = rule(
  new RegExp(`^\\*\\.${subdomainText}$`),
  253,
  `a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', ${usedFor} '\\*\\.${subdomainText}')`,
);

/** What may stand as one part of a URL's path: the names of roles, which say nothing else of themselves. */
export const pathSegmentName: Rule = (text) => {
  if (text === '.' || text === '..') return [`may not be '${text}'`];
  if (!text.includes('/') && !text.includes('%')) return fine;
  return ['/', '%'].filter((bad) => text.includes(bad)).map((bad) => `may not contain '${bad}'`);
};
