/**
 * Names that begin with a domain, so that who makes them up does not collide with others.
 * Source: k8s.io/apimachinery/pkg/util/validation.
 */
import type { FieldProblem } from '../kind.ts';
import { labelName, subdomainName } from './names.ts';
import { type Problems, required, tooLong, wrong } from './problems.ts';

const pathText = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const path = new RegExp(`^${pathText}$`);

/** `example.com/anything/else`. */
export function domainPrefixedPathProblems(field: string, text: string): readonly FieldProblem[] {
  return prefixedProblems(field, text, 'path', (rest) =>
    path.test(rest) ? [] : [wrong(field, rest, `Invalid path (regex used for validation is '${pathText}')`)],
  );
}

function prefixedProblems(
  field: string,
  text: string,
  what: string,
  problemsOfRest: (rest: string) => readonly FieldProblem[],
): readonly FieldProblem[] {
  if (text === '') return [required(field)];
  const slash = text.indexOf('/');
  const domain = text.slice(0, Math.max(slash, 0));
  const rest = text.slice(slash + 1);
  if (domain === '' || rest === '')
    return [wrong(field, text, `must be a domain-prefixed ${what} (such as "acme.io/foo")`)];
  return [...subdomainName(domain).map((why) => wrong(field, domain, why)), ...problemsOfRest(rest)];
}

/** A domain of at least `partsMin` parts. */
export function domainProblems(field: string, text: string, partsMin: 2 | 3): readonly FieldProblem[] {
  if (text === '') return [required(field)];
  const reasons = subdomainName(text);
  if (reasons.length > 0) return [wrong(field, text, reasons.join(','))];
  if (text.split('.').length >= partsMin) return [];
  const count = partsMin === 2 ? 'two' : 'three';
  return [wrong(field, text, `should be a domain with at least ${count} segments separated by dots`)];
}

const driverBytesMax = 63;

/** The name of a driver of storage or devices. Drivers are called by it in any case of letters. */
export function validateDriverName(problems: Problems, field: string, name: string): void {
  if (name === '') problems.push(required(field));
  if (name.length > driverBytesMax) problems.push(tooLong(field, driverBytesMax));
  for (const why of subdomainName(name.toLowerCase())) problems.push(wrong(field, name, why));
}

const domainBytesMax = 253;
/** A label, a subdomain, and what is between them. */
const signerBytesMax = 253 + 1 + 63 + 1 + 253;

/** `example.com/signer`. */
export function validateSignerName(problems: Problems, field: string, name: string): void {
  if (name === '') {
    problems.push(required(field));
    return;
  }
  const [domain = '', path = '', ...rest] = name.split('/');
  if (rest.length > 0 || !name.includes('/')) {
    const why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    problems.push(wrong(field, name, why));
    return;
  }
  if (domain.length > domainBytesMax) problems.push(tooLong(field, domainBytesMax));
  validateParts(problems, field, domain, labelName);
  if (!domain.includes('.'))
    problems.push(wrong(field, domain, 'should be a domain with at least two segments separated by dots'));
  validateParts(problems, field, path, subdomainName);
  if (name.length > signerBytesMax) problems.push(tooLong(field, signerBytesMax));
}

/** Tells of the first part that is wrong. */
function validateParts(
  problems: Problems,
  field: string,
  text: string,
  rule: (part: string) => readonly string[],
): void {
  const bad = text.split('.').find((part) => rule(part).length > 0);
  if (bad === undefined) return;
  for (const why of rule(bad))
    problems.push(wrong(field, text, `validating label ${JSON.stringify(bad)}: ${why}`));
}
