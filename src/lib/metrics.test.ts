import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from './metrics.ts';

test('Metrics.text() writes what Prometheus reads, escaped', () => {
  const metrics = new Metrics();
  const requests = metrics.counter({
    name: 'requests_total',
    help: 'All\nof \\ them.',
    labels: ['verb', 'path'],
  });
  requests.with('GET', '/"a"\\\n').value += 2;
  requests.with('PUT', '').value++;
  metrics.gauge({ name: 'now', help: 'Now.' }).with().value = 1.5;
  const took = metrics.histogram({ name: 'took_seconds', help: 'Took.', labels: ['verb'], bounds: [0.1, 1] });
  for (const value of [0.1, 0.5, 7]) took.with('GET').observe(value);
  metrics.collect('gauge', { name: 'read', help: 'Read.', labels: ['of'] }, () => [
    [['x'], Number.POSITIVE_INFINITY],
  ]);
  assert.equal(
    metrics.text(),
    `# HELP requests_total All\\nof \\\\ them.
# TYPE requests_total counter
requests_total{verb="GET",path="/\\"a\\"\\\\\\n"} 2
requests_total{verb="PUT",path=""} 1
# HELP now Now.
# TYPE now gauge
now 1.5
# HELP took_seconds Took.
# TYPE took_seconds histogram
took_seconds_bucket{verb="GET",le="0.1"} 1
took_seconds_bucket{verb="GET",le="1"} 2
took_seconds_bucket{verb="GET",le="+Inf"} 3
took_seconds_sum{verb="GET"} 7.6
took_seconds_count{verb="GET"} 3
# HELP read Read.
# TYPE read gauge
read{of="x"} +Inf
`,
  );
});

test('a family of metrics has a bounded number of series', () => {
  const metrics = new Metrics();
  const family = metrics.counter({ name: 'n', help: 'N.', labels: ['a', 'b'], seriesMax: 3 });
  for (let i = 0; i < 1000; i++) family.with(String(i), 'x').value++;
  const lines = metrics
    .text()
    .split('\n')
    .filter((line) => line.startsWith('n{'));
  assert.equal(lines.length, 4);
  assert.equal(lines[3], 'n{a="other",b="other"} 997');
});
