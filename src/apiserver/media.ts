/**
 * Which form an answer takes: what the client accepts, against what we have. Pure.
 *
 * JSON is chosen whenever it is acceptable: its bytes are ready and shared, every other form is made for the one who asks.
 * Source: Kubernetes API concepts (alternate representations of resources, receiving resources as Tables).
 */
import { protobufMediaType } from '../api/index.ts';
import { CaelumError } from '../lib/index.ts';

export type Format = 'json' | 'yaml' | 'protobuf';
export type View = 'object' | 'table' | 'metadata';

export interface Form {
  readonly format: Format;
  readonly view: View;
  /** The version of meta.k8s.io in which the view is: `v1` or `v1beta1`. */
  readonly viewVersion: string;
}

interface Clause {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const formats: Readonly<Record<string, Format>> = {
  '*/*': 'json',
  'application/*': 'json',
  'application/json': 'json',
  'application/yaml': 'yaml',
  [protobufMediaType]: 'protobuf',
};
const views: Readonly<Record<string, View>> = {
  Table: 'table',
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadata',
};
export const plainForm: Form = { format: 'json', view: 'object', viewVersion: '' };

export function parseAccept(header: string): readonly Clause[] {
  return header.split(',').map((text) => {
    const [type = '', ...rest] = text.split(';').map((part) => part.trim());
    const parameters: Record<string, string> = {};
    for (const part of rest) {
      const equals = part.indexOf('=');
      if (equals > 0) parameters[part.slice(0, equals)] = part.slice(equals + 1);
    }
    return { type: type.toLowerCase(), parameters };
  });
}

const known = new Map<string, Form>();
/** Clients have a handful of Accept headers; what makes new ones without end is not remembered. */
const knownMax = 200;

/** Throws `notAcceptable` when nothing that the client accepts can be made. */
export function negotiate(header: string | undefined): Form {
  if (header === undefined || header === '' || header === '*/*' || header === 'application/json')
    return plainForm;
  let form = known.get(header);
  if (form === undefined) {
    form = choose(parseAccept(header));
    if (known.size < knownMax) known.set(header, form);
  }
  return form;
}

const objectTypes = `application/json, ${protobufMediaType}, application/yaml`;
const formTypes = `${objectTypes}, application/json;as=Table;g=meta.k8s.io;v=v1, application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1`;

function notAcceptable(types: string): CaelumError {
  return new CaelumError('notAcceptable', `only the following media types are accepted: ${types}`);
}

/** For what is no object of the store: there is no other view of it. */
export function negotiateObject(header: string | undefined): Form {
  const form = negotiate(header);
  if (form.view === 'object') return form;
  const rest = (header ?? '').split(',').filter((clause) => !/;\s*as=/.test(clause));
  if (rest.length === 0) throw notAcceptable(objectTypes);
  return negotiate(rest.join(','));
}

function choose(clauses: readonly Clause[]): Form {
  const forms = clauses.flatMap(({ type, parameters }): Form[] => {
    const format = formats[type];
    if (format === undefined) return [];
    const { as, v = 'v1', g } = parameters;
    if (as === undefined) return [{ format, view: 'object', viewVersion: '' }];
    const view = views[as];
    if (view === undefined || (g !== undefined && g !== 'meta.k8s.io')) return [];
    if (v !== 'v1' && v !== 'v1beta1') return [];
    if (view === 'table' && format === 'protobuf') return [];
    return [{ format, view, viewVersion: v }];
  });
  const [first] = forms;
  if (first === undefined) throw notAcceptable(formTypes);
  // Of the view that is liked best, the cheapest format.
  return forms.find((form) => form.view === first.view && form.format === 'json') ?? first;
}

/** A content type without its parameters. */
export function mediaTypeOf(contentType: string | undefined): string {
  if (contentType === undefined) return '';
  const semicolon = contentType.indexOf(';');
  return (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
}
