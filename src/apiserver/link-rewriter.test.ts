import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../lib/index.ts';
import { behindPrefix, type LinkPlace, LinkRewriter } from './link-rewriter.ts';

const place: LinkPlace = { prefix: '/api/v1/namespaces/a/pods/web/proxy', hosts: ['10.1.0.2:80'] };
const p = place.prefix;

function rewritten(html: string, cuts: readonly number[] = []): string {
  const rewriter = new LinkRewriter(place);
  let done = '';
  let at = 0;
  for (const cut of [...cuts, html.length]) {
    done += rewriter.push(html.slice(at, cut));
    at = cut;
  }
  return done + rewriter.end();
}

test('behindPrefix() changes what begins at the root of the same server', () => {
  for (const [from, to] of [
    ['/', `${p}/`],
    ['/a?b=/c#d', `${p}/a?b=/c#d`],
    ['http://10.1.0.2:80/a', `${p}/a`],
    ['//10.1.0.2:80', `${p}/`],
    ['a/b', 'a/b'],
    ['', ''],
    ['#top', '#top'],
    ['?q=1', '?q=1'],
    ['mailto:x@example.com', 'mailto:x@example.com'],
    ['javascript:void(0)', 'javascript:void(0)'],
    ['http://example.com/a', 'http://example.com/a'],
    ['//example.com/a', '//example.com/a'],
    [`${p}/a`, `${p}/a`],
  ] as const)
    assert.equal(behindPrefix(from, place), to, from);
});

const cases: readonly (readonly [string, string])[] = [
  ['<a href="/rewriteme">test</a>', `<a href="${p}/rewriteme">test</a>`],
  ["<A class=x HREF='/a'>", `<A class=x HREF='${p}/a'>`],
  ['<img src=/a.png alt=">">', `<img src=${p}/a.png alt=">">`],
  ['<a title="a > b" href="/x">', `<a title="a > b" href="${p}/x">`],
  ['<p href="/no"><a name="/no">', '<p href="/no"><a name="/no">'],
  ['a < b, <b>bold</b> & <3', 'a < b, <b>bold</b> & <3'],
  ['<!-- <a href="/no"> --><a href="/yes">', `<!-- <a href="/no"> --><a href="${p}/yes">`],
  [
    '<script src="/s.js">"<a href=\\"/no\\">"</script><form action="/f">',
    `<script src="${p}/s.js">"<a href=\\"/no\\">"</script><form action="${p}/f">`,
  ],
  [
    '<style>a > b { }</style><link rel=stylesheet href="/c.css"/>',
    `<style>a > b { }</style><link rel=stylesheet href="${p}/c.css"/>`,
  ],
  ['<a href="/unfinished', '<a href="/unfinished'],
  ['<!-- unfinished <a href="/no">', '<!-- unfinished <a href="/no">'],
  ['', ''],
];

test('LinkRewriter changes links and nothing else', () => {
  for (const [from, to] of cases) assert.equal(rewritten(from), to);
});

test('LinkRewriter does not mind where the page is cut', () => {
  const random = new SeededRandom(5);
  const [from, to] = [
    cases
      .map(([one]) => one)
      .slice(0, 9)
      .join('\n'),
    cases
      .map(([, one]) => one)
      .slice(0, 9)
      .join('\n'),
  ];
  assert.equal(
    rewritten(
      from,
      Array.from({ length: from.length }, (_, at) => at),
    ),
    to,
  );
  for (let round = 0; round < 200; round++) {
    const cuts = Array.from({ length: 5 }, () => random.integer(from.length + 1)).sort((a, b) => a - b);
    assert.equal(rewritten(from, cuts), to, cuts.join(' '));
  }
});

test('LinkRewriter gives up on what is no tag', () => {
  const long = `<a ${'x'.repeat(200_000)}`;
  assert.equal(rewritten(`${long}><a href="/b">`, [100_000]), `${long}><a href="${p}/b">`);
});
