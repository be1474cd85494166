/**
 * The API as a whole, over TLS 1.3, each figure beside its floor (bare node:https doing as little as can be done) in the same run.
 *
 *   one object · durable creates · a list of 10,000 pods · watchers of 5,000 nodes · memory of a pod       CAELUM_BENCH_WORLD=1: 100,000 pods as well
 *
 * Load and server share this machine's cores: ratios count. `CAELUM_BENCH_PROFILE=1` writes profiles of the servers to /tmp.
 */
import type { TLSSocket } from 'node:tls';
import {
  benchObject,
  collection,
  type Load,
  load,
  openSocket,
  openWorkplace,
  type ServerProcess,
  type Workplace,
} from './apiserver/load.ts';
import { finely, nodeName, type World } from './apiserver/world.ts';
import { type Benchmark, costFigure, type Figure, median, quantile, rateFigure } from './benchmark.ts';

const runMs = 2000;
const rounds = 3;
const floorName = 'bare node:https';
const only = process.env['CAELUM_BENCH_ONLY']?.split(',');
const scale = Number(process.env['CAELUM_BENCH_SCALE'] ?? 1);
const watchers = Math.round(5000 * scale);
const listed = Math.round(10_000 * scale);
const weighed = Math.round(20_000 * scale);

type Say = (line: string) => void;
const get = (path: string): Buffer =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n`);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function inTurns(
  say: Say,
  what: string,
  ours: () => Promise<Load>,
  floor: () => Promise<Load>,
): Promise<{ readonly ours: readonly Load[]; readonly floor: readonly Load[] }> {
  const kept = { ours: [] as Load[], floor: [] as Load[] };
  for (let round = -1; round < rounds; round++) {
    const [theirs, own] = [await floor(), await ours()];
    say(
      `${what}: ${Math.round(own.perSecond)}/s at ${own.serverMicroseconds.toFixed(1)} µs, floor ${Math.round(theirs.perSecond)}/s at ${theirs.serverMicroseconds.toFixed(1)} µs`,
    );
    if (round < 0) continue;
    kept.ours.push(own);
    kept.floor.push(theirs);
  }
  return kept;
}

const rates = (runs: readonly Load[]): number[] => runs.map((one) => one.perSecond);
const costs = (runs: readonly Load[]): number[] => runs.map((one) => one.serverMicroseconds);

function both(
  name: string,
  { ours, floor }: { readonly ours: readonly Load[]; readonly floor: readonly Load[] },
  goal: string,
): readonly Figure[] {
  return [
    { ...rateFigure(name, '1/s', rates(ours), { name: floorName, runs: rates(floor) }), goal },
    costFigure(`${name}, server CPU`, 'µs', costs(ours), { name: floorName, runs: costs(floor) }),
  ];
}

async function measureGet(say: Say, { pki, start }: Workplace): Promise<readonly Figure[]> {
  const [bare, api] = await Promise.all([start('bare'), start('memory')]);
  const run = (server: ServerProcess): Promise<Load> => {
    const bytes = get(`${collection}/floor`);
    return load({ server, pki, connections: 32, ms: runMs, request: () => bytes, expected: 200 });
  };
  const runs = await inTurns(
    say,
    'GET',
    () => run(api),
    () => run(bare),
  );
  for (const one of [bare, api]) one.stop();
  return both('API GET', runs, '≥ 60,000/s where the floor allows');
}

async function measureCreate(say: Say, { pki, start }: Workplace): Promise<readonly Figure[]> {
  const [bare, api] = await Promise.all([start('bare'), start('sqlite')]);
  let number = 0;
  const request = (): Buffer => {
    const body = JSON.stringify(benchObject(`c-${number++}`));
    return Buffer.from(
      `POST ${collection} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  };
  const run = (server: ServerProcess): Promise<Load> =>
    load({ server, pki, connections: 64, ms: runMs, request, expected: 201 });
  const runs = await inTurns(
    say,
    'durable create',
    () => run(api),
    () => run(bare),
  );
  for (const one of [bare, api]) one.stop();
  return both('API durable create', runs, '≥ 15,000/s');
}

/** Milliseconds from the request to the last byte, and how many there were. */
async function fetchAll(
  socket: TLSSocket,
  request: Buffer,
): Promise<{ readonly ms: number; readonly bytes: number }> {
  const startMs = performance.now();
  let head = '';
  let missing = -1;
  let length = 0;
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      let rest = chunk.length;
      if (missing < 0) {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!head.startsWith('HTTP/1.1 200 ')) reject(new Error(`unexpected answer: ${head.slice(0, 300)}`));
        length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
        missing = length;
        rest = head.length - end - 4;
      }
      missing -= rest;
      if (missing > 0) return;
      socket.off('data', onData);
      resolve({ ms: performance.now() - startMs, bytes: length });
    };
    socket.on('data', onData);
    socket.write(request);
  });
}

async function measureList(say: Say, { pki, start }: Workplace): Promise<readonly Figure[]> {
  const [bare, api] = await Promise.all([start('bare'), start('sqlite')]);
  await api.order({ kind: 'fill', world: { pods: listed, nodes: 100 } });
  const [ours, theirs] = await Promise.all([openSocket(api.port, pki), openSocket(bare.port, pki)]);
  const runs = { ours: [] as number[], floor: [] as number[] };
  for (let round = -2; round < 7; round++) {
    const list = await fetchAll(ours, get('/api/v1/pods'));
    const floor = await fetchAll(theirs, get(`/bytes/${list.bytes}`));
    if (round === 6)
      say(
        `list of ${listed} pods, ${(list.bytes / 2 ** 20).toFixed(1)} MiB: ${list.ms.toFixed(0)} ms, floor ${floor.ms.toFixed(0)} ms`,
      );
    if (round < 0) continue;
    runs.ours.push(list.ms);
    runs.floor.push(floor.ms);
  }
  for (const socket of [ours, theirs]) socket.destroy();
  for (const one of [bare, api]) one.stop();
  return [
    {
      ...costFigure('API list of 10,000 pods, to the last byte', 'ms', runs.ours, {
        name: floorName,
        runs: runs.floor,
      }),
      goal: '≤ 150',
    },
  ];
}

/** Watches the pods of each node on a connection of its own. Answers how late changes are, as they come. */
async function watchNodes(
  { pki }: Workplace,
  server: ServerProcess,
  count: number,
): Promise<{ readonly late: number[]; close(): void }> {
  const late: number[] = [];
  const sockets: TLSSocket[] = [];
  const sent = Buffer.from('"sent=');
  const open = async (number: number): Promise<void> => {
    const socket = await openSocket(server.port, pki);
    sockets.push(socket);
    const begun = Promise.withResolvers<void>();
    socket.on('data', (chunk: Buffer) => {
      begun.resolve();
      for (let at = chunk.indexOf(sent); at >= 0; at = chunk.indexOf(sent, at + 1)) {
        const from = at + sent.length;
        const atMs = Number(chunk.toString('latin1', from, chunk.indexOf('"', from)));
        if (atMs > 0) late.push(finely() - atMs);
      }
    });
    const field = encodeURIComponent(`spec.nodeName=${nodeName(number)}`);
    // From now on: what is there already is another figure.
    socket.write(
      get(
        `/api/v1/pods?watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&fieldSelector=${field}`,
      ),
    );
    await begun.promise;
  };
  for (let from = 0; from < count; from += 50)
    await Promise.all(Array.from({ length: Math.min(50, count - from) }, (_, at) => open(from + at)));
  return {
    late,
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function measureWatch(say: Say, place: Workplace): Promise<readonly Figure[]> {
  const api = await place.start('memory');
  const world: World = { pods: watchers * 2, nodes: watchers };
  await api.order({ kind: 'fill', world });
  const open = await watchNodes(place, api, watchers);
  say(`${watchers} watchers are there`);
  await pause(1000);
  const cpuBefore = await api.cpuMicroseconds();
  await api.order({ kind: 'stir', world, perSecond: 1000 });
  await pause(2000);
  open.late.length = 0;
  await pause(6000);
  const late = [...open.late];
  const { changes } = await api.order<{ changes: number }>({ kind: 'rest' });
  const cpu = ((await api.cpuMicroseconds()) - cpuBefore) / changes;
  open.close();
  api.stop();
  const p99 = quantile(late, 0.99);
  say(
    `${late.length} deliveries in 6 s: p50 ${median(late).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms; server ${cpu.toFixed(0)} µs a change and its delivery`,
  );
  return [
    {
      ...costFigure(`change to watcher, ${watchers} watchers (one a node), 1,000 changes/s, p99`, 'ms', [
        p99,
      ]),
      goal: '≤ 100',
    },
    rateFigure('changes delivered', '1/s', [late.length / 6]),
  ];
}

async function measureMemory(say: Say, { start }: Workplace): Promise<readonly Figure[]> {
  const api = await start('sqlite');
  const { bytes, json } = await api.order<{ bytes: number; json: number }>({ kind: 'weigh', pods: weighed });
  api.stop();
  say(`a pod takes ${(bytes / 1024).toFixed(2)} KiB, of which its JSON is ${(json / 1024).toFixed(2)} KiB`);
  return [{ ...costFigure('memory of a pod beyond its JSON', 'KiB', [(bytes - json) / 1024]), goal: '≤ 4' }];
}

/** A large cloud as the API sees it: 5,000 agents watch, 500 pods a second change, and somebody asks. */
async function measureWorld(say: Say, place: Workplace): Promise<readonly Figure[]> {
  const api = await place.start('memory');
  const world: World = { pods: Math.round(100_000 * scale), nodes: Math.round(5000 * scale) };
  const { resident } = await api.order<{ resident: number }>({ kind: 'fill', world });
  say(`${world.pods} pods on ${world.nodes} nodes: ${Math.round(resident / 2 ** 20)} MiB resident`);
  const agents = await watchNodes(place, api, world.nodes);
  // A connection takes its memory with the first that is sent: a cloud at work has that behind it.
  await api.order({ kind: 'stir', world, perSecond: 2000 });
  await pause((world.nodes / 1000) * 1000);
  await api.order({ kind: 'rest' });
  await api.order({ kind: 'stir', world, perSecond: 500 });
  await pause(5000);
  agents.late.length = 0;
  const field = (number: number): string =>
    encodeURIComponent(`spec.nodeName=${nodeName(number % world.nodes)}`);
  const kinds: Readonly<Record<string, (number: number) => Buffer>> = {
    'GET a node': (number) => get(`/api/v1/nodes/${nodeName((number * 7919) % world.nodes)}`),
    "list a node's pods": (number) => get(`/api/v1/pods?fieldSelector=${field(number * 31)}`),
    'first page of 500': () => get('/api/v1/pods?limit=500'),
  };
  const figures: Figure[] = [];
  for (const [name, request] of Object.entries(kinds)) {
    const socket = await openSocket(api.port, place.pki);
    const times: number[] = [];
    const endMs = performance.now() + 5000;
    for (let number = 0; performance.now() < endMs; number++) {
      times.push((await fetchAll(socket, request(number))).ms);
      await pause(10);
    }
    socket.destroy();
    say(
      `${name}: p50 ${median(times).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms of ${times.length}`,
    );
    figures.push({ ...costFigure(`large cloud: ${name}, p99`, 'ms', [quantile(times, 0.99)]), goal: '≤ 50' });
  }
  const { changes } = await api.order<{ changes: number }>({ kind: 'rest' });
  const p99 = quantile(agents.late, 0.99);
  say(
    `${changes} changes, told to their agents: p50 ${median(agents.late).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
  );
  agents.close();
  api.stop();
  return [...figures, costFigure('large cloud: change to agent, p99', 'ms', [p99])];
}

const parts: Readonly<Record<string, (say: Say, place: Workplace) => Promise<readonly Figure[]>>> = {
  get: measureGet,
  create: measureCreate,
  list: measureList,
  memory: measureMemory,
  watch: measureWatch,
  ...(process.env['CAELUM_BENCH_WORLD'] === undefined ? {} : { world: measureWorld }),
};

export const bench: Benchmark = {
  description: 'the API over HTTPS: objects, creates, lists, watches, memory, each beside its floor',
  seconds: 90,
  async run(say) {
    const figures: Figure[] = [];
    for (const [name, measure] of Object.entries(parts)) {
      if (only !== undefined && !only.includes(name)) continue;
      const place = await openWorkplace();
      try {
        figures.push(...(await measure(say, place)));
      } finally {
        place.remove();
      }
    }
    return figures;
  },
};
