/**
 * Kubernetes' protobuf documents (`application/vnd.kubernetes.protobuf`): the four bytes `k8s\0`, then a runtime.Unknown that
 * names the kind and holds the message.
 *
 *   k8s\0 │ 1: {1: apiVersion, 2: kind} │ 2: the message │ 3: encoding │ 4: content type
 *
 * Source: k8s.io/apimachinery/pkg/runtime/serializer/protobuf.
 */
import { CaelumError } from '../../../lib/index.ts';
import { apiVersionOf, type GroupVersionKind, splitApiVersion } from '../../object.ts';
import { messageOfKind } from '../messages.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import { wirePlan } from './plan.ts';
import { malformed, WireReader, WireWriter } from './wire.ts';

export const protobufMediaType = 'application/vnd.kubernetes.protobuf';

const magic = Buffer.from('k8s\0', 'latin1');

type JsonObject = Record<string, unknown>;

/** A document → its JSON object, `kind` and `apiVersion` first. Malformed bytes and unknown kinds are `badRequest`. */
export function decodeProtobuf(bytes: Uint8Array): Document {
  return decodeDocument(bytes, 0);
}

type Document = { apiVersion: string; kind: string } & JsonObject;

/** Documents within documents (items of a List) end here. */
const depthMax = 8;

function decodeDocument(bytes: Uint8Array, depth: number): Document {
  if (depth > depthMax) throw malformed('exceeded max depth');
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!buffer.subarray(0, magic.length).equals(magic)) {
    throw new CaelumError(
      'badRequest',
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    );
  }
  const unknown = readUnknown(new WireReader(buffer, magic.length));
  const { apiVersion, kind } = unknown;
  if (unknown.contentType === 'application/json') {
    return { ...(parseJson(unknown.raw) as JsonObject), apiVersion, kind };
  }
  const message = messageOfKind({ ...splitApiVersion(apiVersion), kind });
  if (message === undefined) {
    throw new CaelumError('badRequest', `no kind "${kind}" is registered for version "${apiVersion}"`);
  }
  // A RawExtension holds JSON, or a whole document of its own.
  const decodeRaw = (raw: Buffer): unknown =>
    raw.subarray(0, magic.length).equals(magic) ? decodeDocument(raw, depth + 1) : parseJson(raw);
  const body = decodeMessage(wirePlan(message), new WireReader(unknown.raw), decodeRaw) as JsonObject;
  return { kind, apiVersion, ...body };
}

interface Unknown {
  apiVersion: string;
  kind: string;
  raw: Buffer;
  contentType: string;
}

function readUnknown(reader: WireReader): Unknown {
  const unknown: Unknown = { apiVersion: '', kind: '', raw: Buffer.alloc(0), contentType: '' };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 10) {
      const meta = reader.message();
      while (!meta.done) {
        const inner = meta.tag();
        if (inner === 10) unknown.apiVersion = meta.text();
        else if (inner === 18) unknown.kind = meta.text();
        else meta.skip(inner & 7);
      }
    } else if (tag === 18) unknown.raw = reader.bytes();
    else if (tag === 34) unknown.contentType = reader.text();
    else reader.skip(tag & 7);
  }
  return unknown;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new CaelumError('badRequest', malformed('embedded JSON does not parse').message, { cause });
  }
}

/** An object of the kind → its document. The kind must be in a table. */
export function encodeProtobuf(object: object, gvk: GroupVersionKind): Buffer {
  const message = messageOfKind(gvk);
  if (message === undefined) {
    throw new CaelumError(
      'notAcceptable',
      `Cannot encode kind "${gvk.kind}" as protobuf: it has no protobuf form`,
    );
  }
  const writer = new WireWriter();
  for (const number of [4, 3]) {
    writer.text('');
    writer.tag(number, 2);
  }
  const raw = writer.size;
  encodeMessage(wirePlan(message), object, writer);
  writer.varint(writer.size - raw);
  writer.tag(2, 2);
  const meta = writer.size;
  writer.text(gvk.kind);
  writer.tag(2, 2);
  writer.text(apiVersionOf(gvk.group, gvk.version));
  writer.tag(1, 2);
  writer.varint(writer.size - meta);
  writer.tag(1, 2);
  return Buffer.concat([magic, writer.finish()]);
}
