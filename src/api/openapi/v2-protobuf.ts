/**
 * A Swagger document → the bytes of gnostic's `openapi.v2.Document`. Field numbers are those of gnostic's OpenAPIv2.proto;
 * only what our documents hold is written. Extensions are YAML texts there; JSON is YAML.
 *
 * The writer works from the end, so each function writes its fields last first.
 */
import { WireWriter } from '../schema/protobuf/wire.ts';
import type { Document } from './schemas.ts';

/** The answer's content type. (Go refuses to parse the `@` of the old name, so it must not be sent back.) */
export const openApiV2ProtobufMediaType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** What clients ask for: the old name and the new. */
export const openApiV2ProtobufAccepted: readonly string[] = [
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  openApiV2ProtobufMediaType,
];

type Value = Readonly<Record<string, unknown>>;

export function openApiV2Protobuf(document: Document): Buffer {
  const out = new Out();
  // Security and its definitions are left out: no client reads them here.
  out.message(9, () => {
    for (const [name, schema] of reversed(document['definitions'])) {
      out.named(1, name, 2, () => writeSchema(out, schema));
    }
  });
  out.message(8, () => {
    for (const [name, item] of reversed(document['paths'])) {
      out.named(2, name, 2, () => writePathItem(out, item));
    }
  });
  const info = document['info'] as Value;
  out.message(2, () => {
    out.text(2, info['version']);
    out.text(1, info['title']);
  });
  out.text(1, document['swagger']);
  return out.writer.finish();
}

class Out {
  readonly writer = new WireWriter();

  message(number: number, content: () => void): void {
    const before = this.writer.size;
    content();
    this.writer.varint(this.writer.size - before);
    this.writer.tag(number, 2);
  }

  /** `{1: name, [valueNumber]: content}` under `number`. */
  named(number: number, name: string, valueNumber: number, content: () => void): void {
    this.message(number, () => {
      this.message(valueNumber, content);
      this.text(1, name);
    });
  }

  text(number: number, value: unknown): void {
    if (typeof value !== 'string' || value === '') return;
    this.writer.text(value);
    this.writer.tag(number, 2);
  }

  texts(number: number, values: unknown): void {
    if (Array.isArray(values)) for (const value of values.toReversed()) this.text(number, value);
  }

  flag(number: number, value: unknown): void {
    if (value !== true) return;
    this.writer.varint(1);
    this.writer.tag(number, 0);
  }

  /** gnostic's Any, of which only the YAML text is used. */
  any(number: number, value: unknown): void {
    this.message(number, () => this.text(2, JSON.stringify(value)));
  }

  extensions(number: number, holder: Value): void {
    for (const [name, value] of reversed(holder)) {
      if (!name.startsWith('x-')) continue;
      this.message(number, () => {
        this.any(2, value);
        this.text(1, name);
      });
    }
  }
}

function reversed(value: unknown): [string, Value][] {
  return Object.entries((value ?? {}) as Record<string, Value>).toReversed();
}

function writeSchema(out: Out, schema: Value): void {
  out.extensions(31, schema);
  const { properties, items, type, additionalProperties, enum: values } = schema;
  if (properties !== undefined) {
    out.message(25, () => {
      for (const [name, property] of reversed(properties)) {
        out.named(1, name, 2, () => writeSchema(out, property));
      }
    });
  }
  if (items !== undefined) out.message(23, () => out.message(1, () => writeSchema(out, items as Value)));
  if (typeof type === 'string') out.message(22, () => out.text(1, type));
  if (additionalProperties !== undefined) {
    out.message(21, () => out.message(1, () => writeSchema(out, additionalProperties as Value)));
  }
  if (Array.isArray(values)) for (const value of values.toReversed()) out.any(20, value);
  out.texts(19, schema['required']);
  if (schema['default'] !== undefined) out.any(5, schema['default']);
  out.text(4, schema['description']);
  out.text(2, schema['format']);
  out.text(1, schema['$ref']);
}

const methods: readonly (readonly [string, number])[] = [
  ['patch', 8],
  ['delete', 5],
  ['post', 4],
  ['put', 3],
  ['get', 2],
];

function writePathItem(out: Out, item: Value): void {
  writeParameters(out, 9, item['parameters']);
  for (const [method, number] of methods) {
    const operation = item[method];
    if (operation !== undefined) out.message(number, () => writeOperation(out, operation as Value));
  }
}

function writeOperation(out: Out, operation: Value): void {
  out.extensions(13, operation);
  out.texts(10, operation['schemes']);
  out.message(9, () => {
    for (const [code, response] of reversed(operation['responses'])) {
      out.named(1, code, 2, () => out.message(1, () => writeResponse(out, response)));
    }
  });
  writeParameters(out, 8, operation['parameters']);
  out.texts(7, operation['consumes']);
  out.texts(6, operation['produces']);
  out.text(5, operation['operationId']);
}

function writeResponse(out: Out, response: Value): void {
  const { schema } = response;
  if (schema !== undefined) out.message(2, () => out.message(1, () => writeSchema(out, schema as Value)));
  out.text(1, response['description']);
}

function writeParameters(out: Out, number: number, parameters: unknown): void {
  if (!Array.isArray(parameters)) return;
  for (const parameter of parameters.toReversed() as Value[]) {
    out.message(number, () => out.message(1, () => writeParameter(out, parameter)));
  }
}

function writeParameter(out: Out, parameter: Value): void {
  if (parameter['in'] === 'body') {
    out.message(1, () => {
      out.message(5, () => writeSchema(out, parameter['schema'] as Value));
      out.flag(4, parameter['required']);
      out.text(3, 'body');
      out.text(2, parameter['name']);
    });
    return;
  }
  // A query parameter has `allowEmptyValue` before its type, a path parameter has not.
  const [form, typeNumber] = parameter['in'] === 'query' ? [3, 6] : [4, 5];
  out.message(2, () =>
    out.message(form, () => {
      out.text(typeNumber, parameter['type']);
      out.text(4, parameter['name']);
      out.text(3, parameter['description']);
      out.text(2, parameter['in']);
      out.flag(1, parameter['required']);
    }),
  );
}
