import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Line, svgOf } from './plot.ts';

const plot = (lines: readonly Line[], references: readonly { name: string; y: number }[] = []): string =>
  svgOf({ name: 'n', title: 'a < b', x: 'nodes', y: 'rate', lines, references });

const texts = (svg: string): readonly { readonly y: number; readonly text: string }[] =>
  [...svg.matchAll(/<text class="name[^>]* y="([\d.]+)">([^<]*)</g)].map(([, y, text = '']) => ({
    y: Number(y),
    text,
  }));

test('svgOf() names each line at its end, also where these are close', () => {
  const lines = [200, 201, 202, 203, 1].map((end, at) => ({
    name: `line ${at}`,
    points: [[100, 1000 * (at + 1)] as const, [50_000, end * 1000] as const],
  }));
  const names = texts(plot(lines));
  assert.deepEqual(
    names.map(({ text }) => text.split(' · ')[0]).toSorted(),
    lines.map(({ name }) => name),
  );
  const places = names.map(({ y }) => y).toSorted((a, b) => a - b);
  for (const [at, y] of places.entries())
    if (at > 0) assert.ok(y - (places[at - 1] as number) >= 16.9, String(places));
  assert.ok((places.at(-1) as number) < 460, String(places));
});

test('svgOf() draws what can be drawn, and ends', () => {
  const svg = plot([
    {
      name: 'odd',
      points: [
        [100, Number.POSITIVE_INFINITY],
        [1000, 5],
        [2000, 0],
        [5000, Number.NaN],
        [10_000, 7],
      ],
    },
    { name: 'none', points: [[0, 0]] },
  ]);
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
  assert.equal(svg.match(/<circle/g)?.length, 2);
  assert.match(svg, /a &lt; b/);
  assert.doesNotMatch(plot([]), /NaN|Infinity|undefined/);
});

test('svgOf() has goals, references and both backgrounds', () => {
  const goals = [[5000, 50_000]] as const;
  const points = [
    [100, 90_000],
    [5000, 80_000],
  ] as const;
  const svg = plot(
    [
      { name: 'a', points, goals },
      { name: 'b', points, goals },
    ],
    [{ name: 'others', y: 680 }],
  );
  const bars = [...svg.matchAll(/class="goal s\d" d="([^"]*)"/g)].map(([, d]) => d);
  assert.equal(bars.length, 2);
  assert.notEqual(bars[0], bars[1]);
  assert.match(svg, /others: 680\/s/);
  assert.match(svg, /prefers-color-scheme:dark/);
});
