/** Folders that hold no more than they were made for, as real file systems. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Pod } from '../../../api/index.ts';
import { closeBounded, openBounded } from './bounded-folder.ts';
import { type ClaimContent, ClaimVolumes } from './claim-volumes.ts';
import { whyNoLoops } from './test-loops.ts';

const MiB = 2 ** 20;

const skip = whyNoLoops() ?? false;

function placeOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-bounded-'));
  const place = join(folder, 'place');
  mkdirSync(place);
  t.after(async () => {
    spawnSync('umount', [join(place, 'shown')]);
    await closeBounded(place);
    rmSync(folder, { recursive: true });
  });
  return place;
}

const fill = (path: string, bytes: number): void =>
  writeFileSync(path, Buffer.alloc(bytes, 'x'), { flush: true });
const isFull = { code: 'ENOSPC' };

test('openBounded() makes a folder that takes so much and no more, all of it reserved', {
  skip,
}, async (t) => {
  const place = placeOf(t);
  const { path: data } = await openBounded(place, 32 * MiB, false);
  assert.equal(statSync(data).mode & 0o777, 0o777);
  const { blocks, size } = statSync(join(place, 'image'));
  assert.equal(size, 32 * MiB);
  assert.ok(blocks * 512 >= 32 * MiB, `${blocks * 512} reserved`);
  fill(join(data, 'fits'), 16 * MiB);
  assert.throws(() => fill(join(data, 'does not'), 32 * MiB), isFull);
  rmSync(join(data, 'does not'));
  assert.equal((await openBounded(place, 32 * MiB, true)).path, data);
  assert.equal(statSync(join(data, 'fits')).size, 16 * MiB);
});

const capacityOf = (path: string): number => {
  const { blocks, bsize } = statfsSync(path);
  return blocks * bsize;
};

test('openBounded() grows what is not in use', { skip }, async (t) => {
  const place = placeOf(t);
  const { path } = await openBounded(place, 16 * MiB, false);
  writeFileSync(join(path, 'kept'), 'x');
  const before = capacityOf(path);
  // Still mounted; where that may not grow it is done without.
  assert.deepEqual(await openBounded(place, 48 * MiB, true), { path, sizeBytes: 48 * MiB });
  assert.ok(capacityOf(path) > before + 24 * MiB, `${before} → ${capacityOf(path)}`);
  await closeBounded(place);
  assert.ok(!existsSync(path));
  await openBounded(place, 64 * MiB, true);
  assert.ok(capacityOf(path) > before + 40 * MiB, `${before} → ${capacityOf(path)}`);
  assert.equal(readFileSync(join(path, 'kept'), 'utf8'), 'x');
  // Never smaller.
  assert.deepEqual(await openBounded(place, 16 * MiB, true), { path, sizeBytes: 16 * MiB });
  assert.equal(statSync(join(place, 'image')).size, 64 * MiB);
});

test('openBounded() grows what is in use, or leaves it as it is and says why', { skip }, async (t) => {
  const place = placeOf(t);
  const { path } = await openBounded(place, 16 * MiB, false);
  const before = capacityOf(path);
  // As a container has it: shown in another place too.
  const shown = join(place, 'shown');
  mkdirSync(shown);
  execFileSync('mount', ['--bind', path, shown]);
  writeFileSync(join(shown, 'kept'), 'x');
  const found = await openBounded(place, 48 * MiB, true);
  assert.equal(found.path, path);
  if (found.problem === undefined) {
    assert.equal(found.sizeBytes, 48 * MiB);
    assert.ok(capacityOf(shown) > before + 24 * MiB);
  } else {
    assert.match(found.problem, /this node cannot hold it to its size: .*resize/);
    assert.deepEqual([found.sizeBytes, capacityOf(shown)], [16 * MiB, before]);
  }
  assert.equal(readFileSync(join(path, 'kept'), 'utf8'), 'x', 'one file system, shown twice');
  execFileSync('umount', [shown]);
  assert.deepEqual(await openBounded(place, 48 * MiB, true), { path, sizeBytes: 48 * MiB });
  assert.ok(capacityOf(path) > before + 24 * MiB);
  assert.equal(readFileSync(join(path, 'kept'), 'utf8'), 'x');
});

test('openBounded() goes on wherever it was stopped, and says what is lost', { skip }, async (t) => {
  const place = placeOf(t);
  writeFileSync(join(place, 'image.new'), 'half');
  const { path } = await openBounded(place, 16 * MiB, false);
  assert.ok(!existsSync(join(place, 'image.new')));
  // Grown, but not written down; made, but not written down.
  for (const size of ['0', '']) {
    writeFileSync(join(place, 'size'), size);
    await openBounded(place, 16 * MiB, true);
    assert.equal(readFileSync(join(place, 'size'), 'utf8'), String(16 * MiB));
  }
  // The machine was switched off.
  await closeBounded(place);
  assert.equal((await openBounded(place, 16 * MiB, true)).path, path);
  await closeBounded(place);
  rmSync(join(place, 'image'));
  await assert.rejects(openBounded(place, 16 * MiB, true), /is not there any more: what was on it is lost/);
});

test('openBounded() says so where there is not enough room', { skip }, async (t) => {
  const place = placeOf(t);
  await assert.rejects(openBounded(place, 2 ** 60, false), {
    code: 'unavailable',
    message: /this node cannot hold it to its size/,
  });
  assert.ok(!existsSync(join(place, 'image')) && !existsSync(join(place, 'image.new')), 'nothing is left');
});

test('ClaimVolumes erases what is held to its size, not while it is in use', { skip }, async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'caelum-bounded-'));
  const handle = 'pvc-00000000-0000-4000-8000-000000000001';
  const place = join(data, 'volumes', handle);
  t.after(async () => {
    if (existsSync(place)) await closeBounded(place);
    rmSync(data, { recursive: true });
  });
  const volumes = new ClaimVolumes(data);
  const pod = (uid: string): Pod => ({ metadata: { name: uid, namespace: 'default', uid } });
  const content: ClaimContent = {
    kind: 'volume',
    handle,
    isMade: false,
    volumeName: handle,
    volumeUid: 'u',
    readOnly: false,
    sizeBytes: 16 * MiB,
  };
  // Both at once.
  const [one, two] = await Promise.all([
    volumes.setUp(pod('one'), 'data', content),
    volumes.setUp(pod('two'), 'data', content),
  ]);
  assert.equal(one, join(place, 'mount/data'));
  assert.equal(one, two);
  assert.equal(statSync(place).mode & 0o777, 0o711);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  assert.equal(mounts.filter((line) => line.includes(` ${place}/mount `)).length, 1, 'mounted once');
  await assert.rejects(volumes.erase(handle), /pod (one|two) still has it/);
  for (const uid of ['one', 'two']) rmSync(join(data, 'pods', uid), { recursive: true });
  await volumes.erase(handle);
  assert.ok(!existsSync(place));
});
