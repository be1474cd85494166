/**
 * Requests that nobody would send, made from a seed: whatever comes, the answer is a Status (or what was asked for), never our own fault, and what is stored stays whole.
 * `CAELUM_SEED=n CAELUM_FUZZ=count` replays, or goes on for longer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeProtobuf, protobufMediaType } from '../../api/index.ts';
import { type Log, SeededRandom, silentLog } from '../../lib/index.ts';
import { deployment, here, pod } from './test-objects.ts';
import { type Answer, startTestServer, type TestServer } from './test-server.ts';

const seed = Number(process.env['CAELUM_SEED'] ?? 20_261_121);
const count = Number(process.env['CAELUM_FUZZ'] ?? 1500);

interface Shot {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

class Gun {
  readonly random: SeededRandom;

  constructor(name: string) {
    this.random = new SeededRandom(`${seed} ${name}`);
  }

  below(max: number): number {
    return this.random.integer(max);
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  maybe(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  text(): string {
    return this.one([
      '',
      'a',
      'A b',
      'x'.repeat(300),
      'ä€😀',
      '\u0000',
      '\ud800',
      '../..',
      '__proto__',
      'constructor',
      'toString',
      'a/b/c',
      '=,!()',
      '"\\',
      '%zz',
      '-1',
      '1e999',
      '2026-01-01T00:00:00Z',
      'k8s.io/'.repeat(60),
    ]);
  }

  value(depth = 0): unknown {
    switch (this.below(depth > 4 ? 7 : 10)) {
      case 0:
        return null;
      case 1:
        return this.maybe(2);
      case 2:
        return this.one([0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e300]);
      case 3:
      case 4:
      case 5:
        return this.text();
      case 6:
        return this.one([{}, [], { a: 1 }, ['a', 'a'], { name: 'a' }, { $patch: 'delete' }]);
      case 7:
        return Array.from({ length: this.below(4) }, () => this.value(depth + 1));
      default:
        return Object.fromEntries(
          Array.from({ length: this.below(4) }, () => [this.text(), this.value(depth + 1)]),
        );
    }
  }

  /** Something in it is something else. */
  bent(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || this.maybe(6)) return this.value();
    if (Array.isArray(value)) {
      const list = [...(value as unknown[])];
      if (list.length === 0 || this.maybe(3)) list.push(this.value());
      else list[this.below(list.length)] = this.bent(this.one(list));
      return list;
    }
    const fields: Record<string, unknown> = { ...value };
    const names = Object.keys(fields);
    const name = names.length === 0 || this.maybe(5) ? this.text() : this.one(names);
    if (this.maybe(8)) delete fields[name];
    else
      Object.defineProperty(fields, name, {
        value: this.bent(fields[name]),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    return fields;
  }

  /** Bytes are lost, changed, doubled. */
  torn(bytes: Buffer): Buffer {
    let torn = Buffer.from(bytes);
    for (let times = 1 + this.below(4); times > 0; times--) {
      const at = this.below(Math.max(1, torn.length));
      const part = torn.subarray(at, at + this.below(20));
      torn = this.one([
        () => torn.subarray(0, at),
        () => Buffer.concat([torn.subarray(0, at), Buffer.from([this.below(256)]), torn.subarray(at + 1)]),
        () => Buffer.concat([torn.subarray(0, at), part, torn.subarray(at)]),
        () => Buffer.concat([torn.subarray(0, at), torn.subarray(at + part.length)]),
      ])();
    }
    return torn;
  }
}

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's' },
  spec: { ports: [{ port: 80 }], selector: { a: 'b' } },
};
const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'x', labels: { a: 'b' }, finalizers: ['a/b'] },
  data: { a: 'YQ==' },
};
const configMapOf = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', annotations: { a: 'b' } },
  data: { a: 'b' },
};
const grants = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  metadata: { name: 'r' },
  rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
};
const seeds: readonly (readonly [path: string, object: object])[] = [
  [`${here}/configmaps`, configMapOf],
  [`${here}/secrets`, secret],
  [`${here}/services`, service],
  [`${here}/pods`, pod('p')],
  ['/apis/apps/v1/namespaces/default/deployments', deployment('d')],
  ['/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', grants],
];
const nameOf = (object: object): string => (object as { metadata: { name: string } }).metadata.name;

const send = (method: string, path: string, body?: unknown, type = 'application/json'): Shot => ({
  method,
  path,
  headers: body === undefined ? {} : { 'content-type': type },
  body:
    body === undefined
      ? undefined
      : Buffer.isBuffer(body)
        ? body
        : Buffer.from(JSON.stringify(body) ?? 'null'),
});

/** JSON is YAML too; now and then in a form that only YAML has. */
const yamlOf = (gun: Gun, value: unknown): Buffer =>
  Buffer.from(
    gun.maybe(2)
      ? (JSON.stringify(value, undefined, 1) ?? '')
      : `a: &a [${'x,'.repeat(gun.below(50))}]\nb: *a\n<<: {kind: ${gun.text()}}\n? ${gun.text()}\n: !!binary ${gun.text()}\n`,
  );

function protobufOf(object: object): Buffer {
  const { apiVersion, kind } = object as { apiVersion: string; kind: string };
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return Buffer.from(encodeProtobuf(object as never, { group, version, kind }));
}

const families: Readonly<Record<string, (gun: Gun) => Shot>> = {
  'JSON bodies': (gun) => {
    const [path, object] = gun.one(seeds);
    const value = gun.bent(object);
    return gun.maybe(2) ? send('POST', path, value) : send('PUT', `${path}/${nameOf(object)}`, value);
  },
  'torn JSON': (gun) => {
    const [path, object] = gun.one(seeds);
    return send('POST', path, gun.torn(Buffer.from(JSON.stringify(object))));
  },
  'YAML bodies': (gun) => {
    const [path, object] = gun.one(seeds);
    const bytes = yamlOf(gun, gun.maybe(2) ? gun.bent(object) : object);
    return send('POST', path, gun.maybe(2) ? gun.torn(bytes) : bytes, 'application/yaml');
  },
  'protobuf bodies': (gun) => {
    const [path, object] = gun.one(seeds);
    return send('POST', path, gun.torn(protobufOf(object)), protobufMediaType);
  },
  'merge patches': (gun) => {
    const [path, object] = gun.one(seeds);
    const type = gun.one(['application/merge-patch+json', 'application/strategic-merge-patch+json']);
    return send('PATCH', `${path}/${nameOf(object)}`, gun.bent(gun.maybe(2) ? object : {}), type);
  },
  'JSON patches': (gun) => {
    const [path, object] = gun.one(seeds);
    const pointer = (): string =>
      gun.one([
        '',
        '/',
        '/metadata/name',
        '/metadata/labels/a~1b',
        '/spec/containers/-',
        '/data/~2',
        '/a/0/b',
        '/__proto__/x',
        `/${gun.text()}`,
      ]);
    const operation = (): unknown => ({
      op: gun.one(['add', 'remove', 'replace', 'move', 'copy', 'test', gun.text()]),
      path: gun.maybe(8) ? gun.value() : pointer(),
      from: pointer(),
      value: gun.value(),
    });
    const patch = gun.maybe(8) ? gun.value() : Array.from({ length: gun.below(4) }, operation);
    return send('PATCH', `${path}/${nameOf(object)}`, patch, 'application/json-patch+json');
  },
  'applied patches': (gun) => {
    const [path, object] = gun.one(seeds);
    const name = gun.one([nameOf(object), `new-${gun.below(5)}`]);
    const manager = encodeURIComponent(gun.one(['me', 'you', '', gun.text()]).toWellFormed());
    const body = gun.maybe(3) ? object : gun.bent({ ...object, metadata: { name } });
    return send(
      'PATCH',
      `${path}/${name}?fieldManager=${manager}${gun.maybe(2) ? '&force=true' : ''}`,
      body,
      'application/apply-patch+yaml',
    );
  },
  'selectors and parameters': (gun) => {
    const [path] = gun.one(seeds);
    const names = [
      'labelSelector',
      'fieldSelector',
      'limit',
      'continue',
      'resourceVersion',
      'resourceVersionMatch',
      'timeoutSeconds',
      'pretty',
      'includeObject',
      'dryRun',
      'timeout',
      'sendInitialEvents',
      'allowWatchBookmarks',
    ];
    const soup = (): string =>
      Array.from({ length: gun.below(8) }, () =>
        gun.one([
          'a',
          'b',
          '=',
          '==',
          '!=',
          '!',
          ',',
          ' in ',
          ' notin ',
          '(',
          ')',
          '\\',
          'metadata.name',
          'spec.nodeName',
          '/',
          '0',
          '1',
          'Exact',
          gun.text(),
        ]),
      ).join('');
    const query = Array.from({ length: 1 + gun.below(4) }, () => {
      const value = gun.maybe(4) ? soup() : encodeURIComponent(Buffer.from(soup()).toString());
      return `${gun.one(names)}=${value.replace(/[^!-~]/g, '')}`;
    }).join('&');
    return { method: 'GET', path: `${path}?${query}`, headers: {}, body: undefined };
  },
  paths: (gun) => {
    const parts = [
      'api',
      'apis',
      'v1',
      'apps',
      'namespaces',
      'default',
      'pods',
      'p',
      'status',
      'log',
      'scale',
      '',
      '.',
      '..',
      '%2e%2e',
      '%00',
      '%ff',
      '%',
      'livez',
      'openapi',
      'v3',
      'metrics',
      'proxy',
      'x'.repeat(500),
    ];
    const path = `/${Array.from({ length: gun.below(9) }, () => gun.one(parts)).join('/')}`;
    const accept = gun.one([
      '*/*',
      'application/json',
      'text/html',
      protobufMediaType,
      'application/json;as=Table;v=v1;g=meta.k8s.io',
      ';;,=',
      '',
    ]);
    const method = gun.one(['GET', 'GET', 'GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE']);
    // Deleting everything is allowed, and not what is looked for here.
    return {
      method: method === 'DELETE' && path.length < 60 ? 'GET' : method,
      path,
      headers: { accept },
      body: undefined,
    };
  },
};

/** What the server itself calls a fault of its own. */
function watchfulLog(): { readonly log: Log; readonly faults: string[] } {
  const faults: string[] = [];
  const log: Log = {
    ...silentLog,
    error: (message, fields) => faults.push(`${message} ${JSON.stringify(fields?.['stack'] ?? fields)}`),
    with: () => log,
  };
  return { log, faults };
}

const shown = ({ method, path, headers, body }: Shot): string =>
  `${method} ${path.slice(0, 300)} ${JSON.stringify(headers)} ${body?.toString().slice(0, 1000) ?? ''}`;

function check(shot: Shot, answer: Answer): void {
  const { status, text } = answer;
  assert.ok(status < 500 || status === 504, `${status} ${text.slice(0, 500)}`);
  if (status < 400 || shot.method === 'HEAD') return;
  const body = JSON.parse(text) as { kind?: string; status?: string; code?: number; message?: string };
  assert.deepEqual([body.kind, body.status, body.code], ['Status', 'Failure', status], text.slice(0, 500));
  assert.ok((body.message ?? '').length > 0);
}

async function fire(server: TestServer, shot: Shot): Promise<Answer | undefined> {
  const { method, path, headers, body } = shot;
  // A watch has no end of its own.
  if (/[?&]watch/.test(path)) return undefined;
  return server.call(method, path, { headers, ...(body === undefined ? {} : { body }) });
}

for (const [family, make] of Object.entries(families)) {
  test(`fuzzing: ${family} (CAELUM_SEED=${seed})`, async (t) => {
    const { log, faults } = watchfulLog();
    const server = await startTestServer(t, { log });
    for (const [path, object] of seeds) await server.call('POST', path, { body: object });
    const gun = new Gun(family);
    const mine = Math.ceil(count / Object.keys(families).length);
    for (let number = 0; number < mine; number++) {
      const shot = make(gun);
      try {
        const answer = await fire(server, shot);
        assert.deepEqual(faults, []);
        if (answer !== undefined) check(shot, answer);
      } catch (error) {
        throw new Error(`shot ${number} of "${family}", CAELUM_SEED=${seed}: ${shown(shot)}`, {
          cause: error,
        });
      }
    }
    assert.equal(({} as { polluted?: unknown; x?: unknown }).x, undefined, 'nobody has a new prototype');
    for (const [path] of seeds) {
      const list = await server.call('GET', path);
      assert.equal(list.status, 200);
      for (const { metadata } of list.body.items as { metadata: { name: string } }[])
        assert.equal((await server.call('GET', `${path}/${encodeURIComponent(metadata.name)}`)).status, 200);
    }
  });
}

const aliases = (depth: number): string =>
  `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: depth }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`).join('\n')}\n`;

test('what is deep, long, or explodes is refused in words, and soon', { timeout: 30_000 }, async (t) => {
  const { log, faults } = watchfulLog();
  const server = await startTestServer(t, { log });
  const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  const map = (more: object): string => JSON.stringify({ ...configMapOf, ...more });
  const text = (length: number): string => 'x'.repeat(length);
  const cases: readonly (readonly [
    name: string,
    body: string | Buffer,
    type: string,
    status: number,
    message: RegExp,
  ])[] = [
    ['JSON 100,000 deep', `{"metadata":{"name":"c"},"data":${deep(100_000)}}`, 'application/json', 400, /./],
    ['JSON 600 deep', map({ data: JSON.parse(deep(600)) as object }), 'application/json', 400, /./],
    ['arrays a million deep', '['.repeat(1_000_000), 'application/json', 400, /./],
    ['YAML 100,000 deep', '['.repeat(100_000), 'application/yaml', 400, /deep/],
    ['YAML lists in lists', '- '.repeat(50_000), 'application/yaml', 400, /deep/],
    ['YAML maps in maps', `${'{a: '.repeat(50_000)}`, 'application/yaml', 400, /deep/],
    ['exploding aliases', aliases(12), 'application/yaml', 400, /alias/],
    [
      'an alias of itself',
      'kind: ConfigMap\nmetadata: {name: c}\ndata: &a {x: *a}\n',
      'application/yaml',
      400,
      /./,
    ],
    ['4 MB', map({ data: { a: text(4 << 20) } }), 'application/json', 413, /Request entity too large/],
    [
      'a huge label',
      map({ metadata: { name: 'c', labels: { a: text(100_000) } } }),
      'application/json',
      422,
      /must be no more than 63/,
    ],
    [
      '100,000 labels',
      map({
        metadata: {
          name: 'c',
          labels: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`l${i}`, text(70)])),
        },
      }),
      'application/json',
      413,
      /./,
    ],
    [
      '100,000 finalizers',
      map({
        metadata: { name: 'c', finalizers: Array.from({ length: 100_000 }, (_, i) => `example.org/f${i}`) },
      }),
      'application/json',
      413,
      /./,
    ],
    [
      '300 KB of annotations',
      map({ metadata: { name: 'c', annotations: { a: text(300_000) } } }),
      'application/json',
      422,
      /annotations: Too long/,
    ],
    ['2 MB of data', map({ data: { a: text(2 << 20) } }), 'application/json', 422, /Too long/],
    [
      'bytes that are no UTF-8, as a name',
      Buffer.from(map({ metadata: { name: 'n\xff' } }), 'latin1'),
      'application/json',
      422,
      /./,
    ],
  ];
  for (const [name, body, type, status, message] of cases) {
    const startMs = process.cpuUsage().user / 1000;
    const answer = await server.call('POST', `${here}/configmaps`, {
      body,
      headers: { 'content-type': type },
    });
    const tookMs = process.cpuUsage().user / 1000 - startMs;
    assert.equal(answer.status, status, `${name}: ${answer.text.slice(0, 300)}`);
    assert.equal(answer.body.kind, 'Status', name);
    assert.match(answer.body.message, message, name);
    assert.ok(tookMs < 4000, `${name} took ${tookMs} ms`);
    assert.ok(answer.text.length < 300_000, `${name}: an answer of ${answer.text.length} bytes`);
  }
  assert.deepEqual(faults, []);
  const duplicates = await server.call('POST', `${here}/configmaps?fieldValidation=Strict`, {
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1","a":"2"}}',
  });
  assert.match(duplicates.body.message, /duplicate field "data\.a"/);
});
