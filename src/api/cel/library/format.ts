/** Kubernetes' named formats: `format.dns1123Label().validate(text)` gives none, or what is wrong. */
import { dns1035Name, labelName, labelValue, qualifiedName, subdomainName } from '../../validation/names.ts';
import { type Definition, through } from '../function.ts';
import { parseTimestamp } from '../time.ts';
import { none, Opaque, some } from '../value.ts';

type Validate = (text: string) => readonly string[];
type Format = Opaque<Validate>;

const unless = (holds: boolean, why: string): readonly string[] => (holds ? [] : [why]);
/** A prefix that a name will follow may end in a dash. */
const prefixed =
  (rule: Validate): Validate =>
  (text) =>
    rule(text.endsWith('-') ? `${text.slice(0, -1)}a` : text);

function isBase64(text: string): boolean {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text.replace(/[\r\n]/g, ''));
}

const formats: Readonly<Record<string, Validate>> = {
  dns1123Label: labelName,
  dns1123Subdomain: subdomainName,
  dns1035Label: dns1035Name,
  dns1123LabelPrefix: prefixed(labelName),
  dns1123SubdomainPrefix: prefixed(subdomainName),
  dns1035LabelPrefix: prefixed(dns1035Name),
  qualifiedName,
  labelValue,
  uri: (text) => unless(/^(?:[A-Za-z][A-Za-z0-9+.-]*:(?!$)|\/)\S*$/.test(text), 'invalid URI for request'),
  uuid: (text) =>
    unless(
      /^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$/.test(text),
      'does not match the UUID format',
    ),
  byte: (text) => unless(isBase64(text), 'invalid base64'),
  date: (text) =>
    unless(/^\d{4}-\d\d-\d\d$/.test(text) && parseTimestamp(text) !== undefined, 'invalid date'),
  datetime: (text) => unless(text.includes(':') && parseTimestamp(text) !== undefined, 'invalid datetime'),
};

const made = new Map(
  Object.entries(formats).map(([name, validate]) => [
    name,
    new Opaque('kubernetes.NamedFormat', validate, name),
  ]),
);

function validate({ value }: Format, text: string): unknown {
  const problems = value(text);
  return problems.length === 0 ? none : some(problems);
}

export const formatFunctions: readonly Definition[] = [
  ...[...made].map(([name, format]): Definition => [`format.${name}(): format`, () => format]),
  [
    'format.named(string): optional(format)',
    (name: string) => {
      const format = made.get(name);
      return format === undefined ? none : some(format);
    },
  ],
  ['format . validate(string): optional(list(string))', validate, { cost: through }],
];
