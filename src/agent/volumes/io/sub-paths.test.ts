import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SubPaths } from './sub-paths.ts';

const isRoot = process.getuid?.() === 0;

function setting(t: TestContext, canMount: boolean) {
  const data = mkdtempSync(join(tmpdir(), 'caelum-sub paths-'));
  const paths = new SubPaths(data, canMount);
  t.after(async () => {
    for (const uid of await paths.pods()) await paths.tearDown(uid);
    rmSync(data, { recursive: true, force: true });
  });
  const base = join(data, 'volume');
  mkdirSync(base, { mode: 0o755 });
  const place = (subPath: string, attempt = 0, number = 0) =>
    paths.place({ podUid: 'u', container: 'c', attempt, number }, base, subPath, 'v');
  return { data, paths, base, place };
}

test('SubPaths finds what is within the volume, and makes what is missing as open as the volume is', async (t) => {
  const { base, place } = setting(t, false);
  assert.equal(await place('a/b'), join(base, 'a/b'));
  assert.equal(statSync(join(base, 'a')).mode & 0o777, 0o755);
  writeFileSync(join(base, 'a/file'), 'x');
  symlinkSync('a/../a/file', join(base, 'link'));
  symlinkSync('..', join(base, 'a/up'));
  symlinkSync('later', join(base, 'dangling'));
  assert.equal(await place('link'), join(base, 'a/file'));
  assert.equal(await place('a/up/a/./file'), join(base, 'a/file'));
  assert.equal(await place('dangling'), join(base, 'later'), 'made, as it is within');
  assert.equal(await place('.'), base);
});

test('SubPaths is not led out of the volume', async (t) => {
  const { data, base, place } = setting(t, false);
  mkdirSync(join(data, 'secret'));
  symlinkSync('/etc', join(base, 'absolute'));
  symlinkSync('../secret', join(base, 'upwards'));
  symlinkSync('../volume/a', join(base, 'detour'));
  symlinkSync('round', join(base, 'round'));
  writeFileSync(join(base, 'file'), 'x');
  const told: readonly (readonly [string, RegExp])[] = [
    ['/etc', /error SubPath `\/etc` must not be an absolute path/],
    ['a/../../x', /unable to provision SubPath `a\/..\/..\/x`: must not contain '\.\.'/],
    ['absolute', /failed to prepare subPath for volumeMount "v": "absolute" leaves the volume/],
    ['absolute/passwd', /leaves the volume/],
    ['upwards', /leaves the volume/],
    ['detour', /leaves the volume/],
    ['round', /has too many links/],
    ['file/x', /"file" in "file\/x" is not a directory/],
  ];
  for (const [subPath, text] of told)
    await assert.rejects(place(subPath), { code: 'invalid', message: text }, subPath);
  assert.deepEqual(readdirSync(join(data, 'secret')), []);
});

test('SubPaths binds the very folder or file, and takes it away without touching what is in it', {
  skip: isRoot ? false : 'needs root',
}, async (t) => {
  const { data, base, place, paths } = setting(t, true);
  mkdirSync(join(base, 'a'));
  writeFileSync(join(base, 'a/kept'), 'x');
  writeFileSync(join(base, 'file'), 'text');
  const folder = await place('a');
  const file = await place('file', 0, 1);
  assert.equal(folder, join(data, 'subpaths/u/c/0/0'));
  assert.deepEqual(readdirSync(folder), ['kept']);
  assert.equal(readFileSync(file, 'utf8'), 'text');
  // What bears the name afterwards does not matter.
  rmSync(join(base, 'file'));
  symlinkSync('/etc/passwd', join(base, 'file'));
  assert.equal(readFileSync(file, 'utf8'), 'text');
  // The same again, and the next attempt.
  assert.equal(await place('a'), folder);
  await paths.clear('u', 'c');
  assert.ok(!existsSync(folder));
  const next = await place('a', 1);
  assert.deepEqual(await paths.pods(), ['u']);
  // Another agent finds it.
  await new SubPaths(data, true).tearDown('u');
  assert.ok(!existsSync(next));
  assert.deepEqual(await paths.pods(), []);
  assert.ok(existsSync(join(base, 'a/kept')));
  await paths.tearDown('u');
});

test('SubPaths removes no place that holds something', async (t) => {
  const { data, paths } = setting(t, false);
  const place = join(data, 'subpaths/u/c/0/0');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'precious'), 'x');
  await assert.rejects(paths.tearDown('u'), { code: 'ENOTEMPTY' });
  assert.ok(existsSync(join(place, 'precious')));
  rmSync(join(place, 'precious'));
});
