/**
 * What reading and writing one object costs: parse, check against its table, write. The floor is JSON.parse and
 * JSON.stringify of the same text, in turns in the same run; the ratio says how near the floor we are (1: no cost at all).
 */
import { checkShape, messageOf } from '../src/api/index.ts';
import { flat, nameSuffix } from '../src/lib/index.ts';
import { realRandom } from '../src/lib/io/real-random.ts';
import { type Benchmark, costFigure, type Figure } from './benchmark.ts';

const configMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'default', labels: { app: 'web', tier: 'front' } },
  data: { 'one.conf': 'a'.repeat(300), 'two.conf': 'b'.repeat(300), 'three.conf': 'c'.repeat(230) },
};

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-1', namespace: 'default', labels: { app: 'web' }, annotations: { note: 'x' } },
  spec: {
    containers: ['web', 'log'].map((name) => ({
      name,
      image: `registry.example/${name}:1.2.3`,
      ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
      env: [
        { name: 'MODE', value: 'fast' },
        { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      ],
      resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
      readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 5 },
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    })),
    volumes: [{ name: 'data', emptyDir: {} }],
    tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
    terminationGracePeriodSeconds: 30,
  },
};

const rounds = 7;
const callsPerRound = 20_000;

function microseconds(action: () => void): number {
  const start = performance.now();
  for (let i = 0; i < callsPerRound; i++) action();
  return ((performance.now() - start) * 1000) / callsPerRound;
}

function measure(name: string, messageName: string, object: object): Figure {
  const text = JSON.stringify(object);
  const message = messageOf(messageName);
  const ours: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round < rounds; round++) {
    floor.push(microseconds(() => JSON.stringify(JSON.parse(text))));
    ours.push(microseconds(() => JSON.stringify(checkShape(message, JSON.parse(text)).value)));
  }
  const peer = { name: 'JSON.parse and JSON.stringify', runs: floor };
  return costFigure(`parse, check and write a ${name} of ${text.length} bytes`, 'µs', ours, peer);
}

/** What one name that was put together costs whoever writes the object, unless it is made flat. */
function measureName(): Figure {
  const text = JSON.stringify(pod);
  const flatOnes: number[] = [];
  const pieces: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const make = (): typeof pod => JSON.parse(text) as typeof pod;
    const [ours, theirs] = [make(), make()];
    ours.metadata.name = flat(`web-68d4bc5c9-${round}${nameSuffix(realRandom)}`);
    theirs.metadata.name = `web-68d4bc5c9-${round}${nameSuffix(realRandom)}`;
    pieces.push(microseconds(() => JSON.stringify(theirs)));
    flatOnes.push(microseconds(() => JSON.stringify(ours)));
  }
  const peer = { name: 'its name in pieces', runs: pieces };
  return costFigure(`write a Pod of ${text.length} bytes, its name flat`, 'µs', flatOnes, peer);
}

export const bench: Benchmark = {
  description: 'Parse, check against the schema table and write one object',
  seconds: 4,
  run: async () => [
    measure('ConfigMap', 'core.v1.ConfigMap', configMap),
    measure('Pod', 'core.v1.Pod', pod),
    measureName(),
  ],
};
