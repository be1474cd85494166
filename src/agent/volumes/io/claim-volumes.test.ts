import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Pod } from '../../../api/index.ts';
import { type ClaimContent, ClaimVolumes } from './claim-volumes.ts';
import { eraseFolder, giveToGroup } from './safe-tree.ts';

const isRoot = process.getuid?.() === 0;
const handle = 'pvc-00000000-0000-4000-8000-000000000001';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'caelum-claims-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const pod = (uid: string, securityContext: object = {}): Pod =>
  ({ metadata: { name: 'p', namespace: 'default', uid }, spec: { containers: [], securityContext } }) as Pod;
const content = (more: Partial<ClaimContent> = {}): ClaimContent =>
  ({
    kind: 'volume',
    handle,
    isMade: false,
    volumeName: 'pvc-1',
    volumeUid: 'u',
    readOnly: false,
    ...more,
  }) as ClaimContent;

test('ClaimVolumes makes a folder once, keeps it over pods, and says when it is lost', async (t) => {
  const data = folder(t);
  const volumes = new ClaimVolumes(data);
  const path = await volumes.setUp(pod('one'), 'data', content());
  assert.equal(path, join(data, 'volumes', handle));
  assert.equal(statSync(path).mode & 0o777, 0o777);
  assert.equal(statSync(join(data, 'volumes')).mode & 0o777, 0o711);
  writeFileSync(join(path, 'kept'), 'x');
  assert.equal(await volumes.setUp(pod('two'), 'data', content({ isMade: true })), path);
  assert.ok(existsSync(join(path, 'kept')));
  rmSync(path, { recursive: true });
  await assert.rejects(
    volumes.setUp(pod('two'), 'data', content({ isMade: true })),
    /is not there any more: what was on it is lost/,
  );
  assert.ok(!existsSync(path), 'it is not made anew');
});

test('ClaimVolumes takes no name that leads elsewhere, and no link for a folder', async (t) => {
  const data = folder(t);
  const outside = folder(t);
  writeFileSync(join(outside, 'precious'), 'x');
  const volumes = new ClaimVolumes(data);
  const names = [
    '..',
    '../x',
    '.',
    '',
    '.erased',
    'pvc-1',
    `${handle}/..`,
    `${handle}/../../x`,
    `/${handle}`,
    `${handle}\n`,
  ];
  for (const name of names) {
    await assert.rejects(
      volumes.setUp(pod('one'), 'data', content({ handle: name })),
      /is no volume of this node/,
      name,
    );
    await assert.rejects(volumes.erase(name), /is no volume of this node/, name);
  }
  mkdirSync(join(data, 'volumes'), { recursive: true });
  symlinkSync(outside, join(data, 'volumes', handle));
  await assert.rejects(volumes.setUp(pod('one'), 'data', content()), /is not a directory/);
  rmSync(join(data, 'pods'), { recursive: true });
  await volumes.erase(handle);
  assert.ok(existsSync(join(outside, 'precious')), 'the link goes, not what it leads to');
  assert.ok(!existsSync(join(data, 'volumes', handle)));
});

test('ClaimVolumes erases nothing that a pod has, and everything else of the volume, also what an earlier try has left', async (t) => {
  const data = folder(t);
  const outside = folder(t);
  writeFileSync(join(outside, 'precious'), 'x');
  const volumes = new ClaimVolumes(data);
  const path = await volumes.setUp(pod('one'), 'data', content());
  await assert.rejects(volumes.erase(handle), { code: 'unavailable', message: /pod one still has it/ });
  rmSync(join(data, 'pods', 'one'), { recursive: true });
  mkdirSync(join(path, 'a/b/c'), { recursive: true });
  writeFileSync(join(path, 'a/b/file'), 'x');
  symlinkSync(outside, join(path, 'a/away'));
  symlinkSync('/', join(path, 'root'));
  // A try that was killed in the midst.
  const erased = join(data, 'volumes/.erased', handle);
  mkdirSync(join(erased, '7/deep'), { recursive: true });
  await volumes.erase(handle);
  assert.deepEqual(readdirSync(join(data, 'volumes')), ['.erased']);
  assert.deepEqual(readdirSync(join(data, 'volumes/.erased')), []);
  assert.ok(existsSync(join(outside, 'precious')));
  await volumes.erase(handle);
  mkdirSync(join(erased, '0/x/y'), { recursive: true });
  await volumes.sweep();
  assert.deepEqual(readdirSync(join(data, 'volumes/.erased')), []);
});

test('eraseFolder() removes what is deeper than a path can tell, and many at once', async (t) => {
  const data = folder(t);
  const top = join(data, 'top');
  mkdirSync(top);
  mkdirSync(join(data, 'within'));
  // 60 × 200 characters, from within outwards: three times what a path may have.
  for (let at = 0; at < 60; at++) {
    mkdirSync(join(data, 'around'));
    renameSync(join(data, 'within'), join(data, 'around', 'x'.repeat(200)));
    renameSync(join(data, 'around'), join(data, 'within'));
  }
  renameSync(join(data, 'within'), join(top, '0'));
  for (let at = 0; at < 300; at++) writeFileSync(join(top, '0', `${at}`), '');
  await eraseFolder(top);
  assert.ok(!existsSync(top));
  await eraseFolder(top);
});

test('eraseFolder() stops at what is mounted within', { skip: isRoot ? false : 'needs root' }, async (t) => {
  const top = join(folder(t), 'top');
  const mounted = join(top, '0/mounted');
  mkdirSync(mounted, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', 'caelum-test', mounted]);
  try {
    writeFileSync(join(mounted, 'precious'), 'x');
    await assert.rejects(eraseFolder(top), { code: 'unavailable', message: /something is mounted within/ });
    assert.ok(existsSync(join(mounted, 'precious')));
  } finally {
    execFileSync('umount', [mounted]);
  }
});

test('giveToGroup() gives all of a tree to a group, and nothing outside of it', {
  skip: isRoot ? false : 'needs root',
}, async (t) => {
  const top = folder(t);
  const outside = folder(t);
  writeFileSync(join(outside, 'precious'), 'x', { mode: 0o600 });
  mkdirSync(join(top, 'sub'), { mode: 0o700 });
  writeFileSync(join(top, 'sub/file'), 'x', { mode: 0o600 });
  writeFileSync(join(top, 'run'), 'x', { mode: 0o755 });
  symlinkSync(join(outside, 'precious'), join(top, 'link'));
  execFileSync('mkfifo', [join(top, 'pipe')]);
  await giveToGroup(top, 4321, false);
  const of = (path: string): string => {
    const { gid, mode } = lstatSync(join(top, path));
    return `${gid} ${(mode & 0o7777).toString(8)}`;
  };
  assert.deepEqual(
    ['', 'sub', 'sub/file', 'run'].map((path) => of(path)),
    ['4321 2770', '4321 2770', '4321 660', '4321 775'],
  );
  assert.equal(lstatSync(join(top, 'link')).gid, 4321);
  const precious = statSync(join(outside, 'precious'));
  assert.deepEqual([precious.gid, precious.mode & 0o777], [0, 0o600]);
  writeFileSync(join(top, 'late'), 'x', { mode: 0o600 });
  execFileSync('chgrp', ['0', join(top, 'late')]);
  await giveToGroup(top, 4321, true);
  assert.equal(lstatSync(join(top, 'late')).gid, 0, 'the folder itself is as wanted');
  await giveToGroup(top, 4321, false);
  assert.equal(lstatSync(join(top, 'late')).gid, 4321);
});

test('ClaimVolumes gives a folder to its pod’s group once, and leaves what may not be written alone', {
  skip: isRoot ? false : 'needs root',
}, async (t) => {
  const data = folder(t);
  const volumes = new ClaimVolumes(data);
  const path = await volumes.setUp(pod('one', { fsGroup: 99 }), 'data', content());
  assert.equal(statSync(path).gid, 99);
  execFileSync('chgrp', ['0', path]);
  await volumes.setUp(pod('one', { fsGroup: 99 }), 'data', content({ isMade: true }));
  assert.equal(statSync(path).gid, 0, 'not again for the same pod');
  await volumes.setUp(pod('two', { fsGroup: 98 }), 'data', content({ isMade: true, readOnly: true }));
  assert.equal(statSync(path).gid, 0);
  const file = join(folder(t), 'file');
  writeFileSync(file, 'x');
  const local = { kind: 'local', path: file, volumeName: 'v', readOnly: false } as const;
  assert.equal(await volumes.setUp(pod('two', { fsGroup: 98 }), 'other', local), file);
  assert.equal(readFileSync(join(data, 'pods/two/claims/data'), 'utf8'), handle);
  await assert.rejects(
    volumes.setUp(pod('two'), 'none', { ...local, path: `${file}-none` }),
    /does not exist/,
  );
});
