/**
 * Answers on the wire. Headers are prebuilt arrays: this is on the path of every request.
 */
import type { ServerResponse } from 'node:http';
import {
  apiVersionOf,
  encodeProtobuf,
  type IncludeObject,
  type Kind,
  type KubeObject,
  protobufMediaType,
  renderTable,
} from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { Form } from '../media.ts';
import { type Answer, bytesOf, objectOf } from '../operations/answer.ts';
import type { ListAnswer } from '../operations/read.ts';
import type { Resource } from '../resource.ts';
import { httpStatusOf, statusOf } from '../status.ts';
import { asApiResponse } from './api-response.ts';
import { indented, isForPeople } from './for-people.ts';

const jsonType = 'application/json';

/** How the one who asks wants it. */
export interface Wanted {
  readonly form: Form;
  readonly nowMs: number;
  readonly includeObject: IncludeObject;
  readonly pretty: boolean;
}

export function sendBytes(
  response: ServerResponse,
  code: number,
  bytes: Buffer | string,
  type: string = jsonType,
  warnings: readonly string[] = [],
): void {
  if (bytes.length > gzipBytesMin && acceptsGzip(response) && code === 200) {
    void sendCompressed(
      response,
      code,
      typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
      type,
      warnings,
    );
    return;
  }
  const headers = [
    'Content-Type',
    type,
    'Content-Length',
    String(Buffer.byteLength(bytes)),
    'Cache-Control',
    'no-cache, private',
  ];
  for (const warning of warnings) addWarning(response, warning);
  response.writeHead(code, headers);
  response.end(bytes);
}

/** As Kubernetes does: small answers are not worth it. */
const gzipBytesMin = 128 * 1024;

const acceptsGzip = ({ req }: ServerResponse): boolean => {
  const accepted = req?.headers['accept-encoding'];
  return typeof accepted === 'string' && /(^|[\s,])gzip\s*($|[,;](?!\s*q=0(\.0*)?\s*($|,)))/.test(accepted);
};

/** In a thread of the pool. Never rejects. */
async function sendCompressed(
  response: ServerResponse,
  code: number,
  bytes: Buffer,
  type: string,
  warnings: readonly string[],
): Promise<void> {
  const { gzip } = await import('node:zlib');
  const compressed = await new Promise<Buffer | undefined>((resolve) =>
    gzip(bytes, { level: 1 }, (error, result) => resolve(error === null ? result : undefined)),
  );
  for (const warning of warnings) addWarning(response, warning);
  const sent = compressed ?? bytes;
  asApiResponse(response)?.notePlain(bytes);
  response.writeHead(code, [
    'Content-Type',
    type,
    'Content-Length',
    String(sent.length),
    'Cache-Control',
    'no-cache, private',
    'Vary',
    'Accept-Encoding',
    ...(compressed === undefined ? [] : ['Content-Encoding', 'gzip']),
  ]);
  response.end(sent);
}

/** What is longer is sent piece by piece, as the client takes it: nothing is copied whole, and others have their turn. */
const streamBytesMin = 1024 * 1024;
const pieceBytes = 256 * 1024;

/** Resolves when all is sent, or the client has gone. */
async function sendParts(response: ServerResponse, parts: readonly Buffer[], length: number): Promise<void> {
  response.writeHead(200, [
    'Content-Type',
    jsonType,
    'Content-Length',
    String(length),
    'Cache-Control',
    'no-cache, private',
  ]);
  let piece: Buffer[] = [];
  let bytes = 0;
  for (const part of parts) {
    piece.push(part);
    bytes += part.length;
    if (bytes < pieceBytes) continue;
    if (response.destroyed) return;
    const isTaken = response.write(Buffer.concat(piece, bytes));
    piece = [];
    bytes = 0;
    if (!isTaken) await drained(response);
  }
  response.end(Buffer.concat(piece, bytes));
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go);
      response.off('close', go);
      resolve();
    };
    response.on('drain', go);
    response.on('close', go);
    if (response.destroyed) go();
  });
}

/** Beside the answer, whatever that will be. Before it is sent. */
export function addWarning(response: ServerResponse, warning: string): void {
  // Header values are bytes; as text they are UTF-8.
  if (!response.headersSent)
    response.appendHeader('Warning', Buffer.from(`299 - ${JSON.stringify(warning)}`).toString('latin1'));
}

/** Errors, whatever they are, as Status objects. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const code = httpStatusOf(error);
  if (error instanceof CaelumError && error.details.retryAfterSeconds !== undefined)
    response.setHeader('Retry-After', String(error.details.retryAfterSeconds));
  if (code === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="caelum"');
  const status = statusOf(error);
  sendBytes(response, code, isForPeople(response.req) ? indented(status) : JSON.stringify(status));
}

/** One object, in the form that was asked for. */
export async function sendAnswer(
  response: ServerResponse,
  resource: Resource | undefined,
  answer: Answer,
  wanted: Wanted,
  warnings: readonly string[] = [],
): Promise<void> {
  const code = answer.kind === 'status' ? (answer.status.code ?? 200) : answer.created ? 201 : 200;
  if (isPlain(wanted, answer.kind === 'status')) {
    sendBytes(response, code, bytesOf(answer), jsonType, warnings);
    return;
  }
  const object = objectOf(answer) as KubeObject;
  if (answer.kind === 'status' || resource === undefined || object.kind !== resource.kind.kind)
    await sendValue(response, code, object, wanted, warnings);
  else await sendValue(response, code, viewOf(resource.kind, object, wanted), wanted, warnings);
}

/** A whole view in the wanted format. */
export async function sendValue(
  response: ServerResponse,
  code: number,
  value: object,
  { form, pretty }: Pick<Wanted, 'form' | 'pretty'>,
  warnings: readonly string[] = [],
): Promise<void> {
  switch (form.format) {
    case 'protobuf': {
      const { apiVersion = '', kind = '' } = value as KubeObject;
      const slash = apiVersion.indexOf('/');
      const gvk = {
        group: slash < 0 ? '' : apiVersion.slice(0, slash),
        version: apiVersion.slice(slash + 1),
        kind,
      };
      sendBytes(response, code, encodeProtobuf(value, gvk), protobufMediaType, warnings);
      return;
    }
    case 'yaml': {
      const { stringify } = await import('yaml');
      sendBytes(response, code, stringify(value, { version: '1.1' }), 'application/yaml', warnings);
      return;
    }
    default:
      sendBytes(response, code, pretty ? indented(value) : JSON.stringify(value), jsonType, warnings);
  }
}

/** An object as it was asked for: itself, its metadata, or a row of these columns. */
export function viewOf(
  kind: Pick<Kind, 'columns'>,
  object: KubeObject,
  { form, nowMs, includeObject }: Wanted,
): object {
  if (form.view === 'metadata') return metadataView(object, form);
  if (form.view === 'object') return object;
  const { resourceVersion = '' } = object.metadata;
  return tableView(renderTable(kind, [object], { nowMs, includeObject, resourceVersion }), form);
}

/** Tables are the same in both versions but for the name. */
export function tableView<T extends object>(table: T, form: Form): T & { readonly apiVersion: string } {
  return { ...table, apiVersion: `meta.k8s.io/${form.viewVersion}` };
}

/** Stored bytes can be sent as they are. */
function isPlain({ form, pretty }: Wanted, isStatus = false): boolean {
  return form.format === 'json' && !pretty && (form.view === 'object' || isStatus);
}

export function metadataView(object: KubeObject, form: Form): object {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${form.viewVersion}`,
    metadata: object.metadata,
  };
}

/** A list: for JSON its items' bytes are put together as they are. */
export async function sendList(response: ServerResponse, answer: ListAnswer, wanted: Wanted): Promise<void> {
  const { form, nowMs, includeObject } = wanted;
  const { resource, items, revision } = answer;
  const { kind } = resource;
  const metadata = {
    resourceVersion: String(revision),
    ...(answer.continue === undefined ? {} : { continue: answer.continue }),
    ...(answer.remaining === undefined || answer.remaining === 0
      ? {}
      : { remainingItemCount: answer.remaining }),
  };
  if (form.view === 'table') {
    const objects = items.map((stored) => resource.objectOf(stored));
    const table = renderTable(kind, objects, { nowMs, includeObject, ...metadata });
    await sendValue(response, 200, tableView(table, form), wanted);
    return;
  }
  if (form.view === 'metadata') {
    const list = items.map((stored) => metadataView(resource.objectOf(stored), form));
    await sendValue(
      response,
      200,
      {
        kind: 'PartialObjectMetadataList',
        apiVersion: `meta.k8s.io/${form.viewVersion}`,
        metadata,
        items: list,
      },
      wanted,
    );
    return;
  }
  const apiVersion = apiVersionOf(kind.group, kind.version);
  const listKind = kind.custom?.openApi.listKind ?? `${kind.kind}List`;
  if (!isPlain(wanted)) {
    const objects = items.map((stored) => resource.objectOf(stored));
    await sendValue(response, 200, { kind: listKind, apiVersion, metadata, items: objects }, wanted);
    return;
  }
  const head = Buffer.from(
    `{"kind":"${listKind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(metadata)},"items":[`,
  );
  const parts: Buffer[] = [head];
  let length = head.length;
  for (const [index, stored] of items.entries()) {
    const bytes = resource.bytesOf(stored);
    if (index > 0) {
      parts.push(comma);
      length += 1;
    }
    parts.push(bytes);
    length += bytes.length;
  }
  parts.push(listEnd);
  length += listEnd.length;
  // The audit log may want to see it whole, and what is compressed is compressed whole.
  const isWhole =
    length < streamBytesMin || acceptsGzip(response) || asApiResponse(response)?.audit !== undefined;
  if (isWhole) sendBytes(response, 200, Buffer.concat(parts, length));
  else await sendParts(response, parts, length);
}

const comma = Buffer.from(',');
const listEnd = Buffer.from(']}');
