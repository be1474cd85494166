/**
 * A watch on the wire: one line an event, in chunks, for as long as the client listens.
 *
 * The bytes of an event are made once and shared by all watchers that see it the same way; those of a whole batch too.
 * A client that does not keep up is let go: what waits for it is bounded.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type IncludeObject, type KubeObject, protobufMediaType, renderTable } from '../../api/index.ts';
import { isError } from '../../lib/index.ts';
import type { Stored } from '../../store/index.ts';
import type { ApiContext } from '../context.ts';
import type { Form } from '../media.ts';
import {
  type ChangeType,
  type WatchChange,
  type WatchRequest,
  type WatchSink,
  watchObjects,
} from '../operations/watch.ts';
import type { Resource } from '../resource.ts';
import { statusOf } from '../status.ts';
import { metadataView, tableView } from './answers.ts';
import { asApiResponse } from './api-response.ts';
import { watchFrame } from './watch-frame.ts';

/** What may wait for a client that is behind. The bytes are shared with those who are behind as well. */
const pendingBytesMax = 16 * 1024 * 1024;
/** Of what is there at the start no more is made before the client has taken this. */
const initialBytesMax = 1024 * 1024;
const longestSeconds = 3600;
const shortestSeconds = 1800;

export interface WatchOptions {
  readonly request: WatchRequest;
  readonly form: Form;
  readonly timeoutSeconds: number | undefined;
  readonly includeObject: IncludeObject;
}

/** Runs a watch until it times out, the client leaves or the store ends it. Errors before the first byte are the caller's. */
export async function serveWatch(
  context: ApiContext,
  resource: Resource,
  http: IncomingMessage,
  response: ServerResponse,
  options: WatchOptions,
): Promise<void> {
  const seconds =
    options.timeoutSeconds === undefined || options.timeoutSeconds === 0
      ? shortestSeconds + context.random.integer(longestSeconds - shortestSeconds)
      : options.timeoutSeconds;
  const lines = new Lines(context, resource, options);
  const sent = asApiResponse(response)?.sentEvents;
  let open = true;
  let started = false;
  const begin = (): void => {
    if (started) return;
    started = true;
    response.writeHead(200, [
      'Content-Type',
      lines.contentType,
      'Transfer-Encoding',
      'chunked',
      'Cache-Control',
      'no-cache, private',
    ]);
    response.flushHeaders();
  };
  const write = (bytes: Buffer, isShared = false): void => {
    if (!open) return;
    begin();
    const { socket } = response;
    // Past the response: one write of bytes that all watchers share, instead of three of its own.
    if (socket === null) response.write(bytes);
    else socket.write(isShared ? sharedFrameOf(bytes) : frameOf(bytes));
    // What is there at the start waits for the client; what comes later does not.
    if (subscription !== undefined && response.writableLength > pendingBytesMax) {
      context.log.warn('a watcher does not keep up and is let go', { resource: resource.groupResource });
      end();
      response.destroy();
    }
  };
  const end = (): void => {
    if (!open) return;
    open = false;
    timer.cancel();
    subscription?.cancel();
  };
  const finish = (): void => {
    if (!open) return;
    end();
    begin();
    response.end();
  };
  const timer = context.clock.after(seconds * 1000, finish);
  http.socket.once('close', end);
  response.once('close', () => {
    http.socket.off('close', end);
    end();
  });
  const sink: WatchSink = {
    onChanges: (changes, isShared) => {
      if (!open) return;
      if (sent !== undefined) sent.value += changes.length;
      write(lines.of(changes, isShared), isShared);
    },
    ready: () => {
      const { socket } = response;
      if (!open || socket === null || response.writableLength < initialBytesMax) return undefined;
      return new Promise((resolve) => {
        const go = (): void => {
          socket.off('drain', go);
          socket.off('close', go);
          resolve();
        };
        socket.on('drain', go);
        socket.on('close', go);
      });
    },
    onBookmark: (revision, initial) => write(lines.bookmark(revision, initial)),
    onEnd: (error) => {
      if (error !== undefined) write(lines.error(error));
      finish();
    },
  };
  let subscription: { cancel(): void } | undefined;
  try {
    subscription = await watchObjects(context, resource, options.request, sink);
  } catch (error) {
    // A watch from a revision that is gone is told inside the stream: that is where clients look.
    if (isError(error, 'expired') && open) {
      sink.onEnd(error);
      return;
    }
    end();
    throw error;
  }
  if (!open) subscription.cancel();
  else begin();
}

const heads: Readonly<Record<ChangeType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};
const tail = Buffer.from('}\n');

const frames = new WeakMap<Buffer, Buffer>();
const frameEnd = Buffer.from('\r\n');

/** A chunk of HTTP/1.1 (RFC 9112, section 7.1). */
function frameOf(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, frameEnd]);
}

/** The same bytes give the same frame. */
function sharedFrameOf(bytes: Buffer): Buffer {
  let frame = frames.get(bytes);
  if (frame === undefined) {
    frame = frameOf(bytes);
    frames.set(bytes, frame);
  }
  return frame;
}

/** Whole objects of a batch, by resource: an object may have several faces. Of each format its own. */
const sharedLines = new WeakMap<readonly WatchChange[], Map<Resource, Buffer>>();
const sharedFrames = new WeakMap<readonly WatchChange[], Map<Resource, Buffer>>();

class Lines {
  readonly #context: ApiContext;
  readonly #resource: Resource;
  readonly #options: WatchOptions;
  /** Tables tell their columns once. */
  #columnsTold = false;
  readonly #isProtobuf: boolean;

  constructor(context: ApiContext, resource: Resource, options: WatchOptions) {
    this.#context = context;
    this.#resource = resource;
    this.#options = options;
    this.#isProtobuf = options.form.format === 'protobuf';
  }

  get contentType(): string {
    return this.#isProtobuf ? `${protobufMediaType};stream=watch` : 'application/json';
  }

  /** What nobody else gets is not kept. */
  of(changes: readonly WatchChange[], isShared: boolean): Buffer {
    if (this.#options.form.view !== 'object')
      return Buffer.concat(changes.map(({ type, stored }) => this.#line(type, this.#view(stored))));
    if (!isShared) return this.#plain(changes);
    const shared = this.#isProtobuf ? sharedFrames : sharedLines;
    let batch = shared.get(changes);
    if (batch === undefined) {
      batch = new Map();
      shared.set(changes, batch);
    }
    let bytes = batch.get(this.#resource);
    if (bytes === undefined) {
      bytes = this.#plain(changes);
      batch.set(this.#resource, bytes);
    }
    return bytes;
  }

  #plain(changes: readonly WatchChange[]): Buffer {
    return Buffer.concat(
      this.#isProtobuf
        ? changes.map(({ type, stored }) => this.#line(type, this.#resource.objectOf(stored)))
        : changes.flatMap(({ type, stored }) => [heads[type], this.#resource.bytesOf(stored), tail]),
    );
  }

  bookmark(revision: number, initial: boolean): Buffer {
    const { kind, apiVersion } = this.#resource;
    const metadata = {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    };
    const { view, viewVersion } = this.#options.form;
    const object =
      view === 'table'
        ? {
            kind: 'Table',
            apiVersion: `meta.k8s.io/${viewVersion}`,
            metadata: { resourceVersion: String(revision) },
            columnDefinitions: null,
            rows: [
              {
                cells: [],
                object: { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${viewVersion}`, metadata },
              },
            ],
          }
        : view === 'metadata'
          ? { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${viewVersion}`, metadata }
          : { kind: kind.kind, apiVersion, metadata };
    return this.#line('BOOKMARK', object);
  }

  error(error: unknown): Buffer {
    return this.#line('ERROR', statusOf(error));
  }

  #line(type: string, object: object): Buffer {
    return this.#isProtobuf
      ? watchFrame(type, object as KubeObject)
      : Buffer.from(`${JSON.stringify({ type, object })}\n`);
  }

  #view(stored: Stored): object {
    const object = this.#resource.objectOf(stored);
    const { form, includeObject } = this.#options;
    if (form.view === 'metadata') return metadataView(object, form);
    const { resourceVersion } = object.metadata;
    const table = renderTable(this.#resource.kind, [object], {
      nowMs: this.#context.clock.nowMs(),
      includeObject,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    });
    const columnDefinitions = this.#columnsTold ? null : table.columnDefinitions;
    this.#columnsTold = true;
    return { ...tableView(table, form), columnDefinitions };
  }
}
