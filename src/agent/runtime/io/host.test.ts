/** Cgroup layouts as mountinfo shows them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oomScoreLeast, readCgroupLayout } from './host.ts';

const other = '22 27 0:21 / /proc rw,relatime - proc proc rw\n26 24 0:24 / /dev/pts rw - devpts devpts rw\n';
const tmpfs = '30 23 0:26 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro,mode=755\n';
const v1 = (path: string, options: string): string =>
  `31 30 0:27 / /sys/fs/cgroup/${path} rw,nosuid shared:10 - cgroup cgroup rw,${options}\n`;

test('readCgroupLayout() tells version 2, version 1 and hybrid apart', () => {
  const two = readCgroupLayout(
    `${other}30 23 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n`,
  );
  assert.deepEqual([two.kind, two.roots, two.unified], ['v2', ['/sys/fs/cgroup'], '/sys/fs/cgroup']);

  const joint =
    v1('cpu,cpuacct', 'cpu,cpuacct') + v1('memory', 'memory') + v1('systemd', 'xattr,name=systemd');
  const one = readCgroupLayout(other + tmpfs + joint);
  assert.equal(one.kind, 'v1');
  assert.equal(one.controllers.get('cpu'), '/sys/fs/cgroup/cpu,cpuacct');
  assert.equal(one.controllers.get('cpuacct'), '/sys/fs/cgroup/cpu,cpuacct');
  assert.equal(one.controllers.get('systemd'), '/sys/fs/cgroup/systemd');
  assert.equal(one.roots.length, 3);
  assert.equal(one.unified, undefined);

  const unified = '40 30 0:40 / /sys/fs/cgroup/unified rw shared:20 - cgroup2 cgroup2 rw\n';
  const both = readCgroupLayout(other + tmpfs + joint + unified);
  assert.deepEqual([both.kind, both.unified], ['hybrid', '/sys/fs/cgroup/unified']);

  assert.throws(() => readCgroupLayout(other), { code: 'unavailable' });
});

test('oomScoreLeast() is our own without the capability to go below', () => {
  assert.equal(oomScoreLeast('CapEff:\t000001ffffffffff\n', '0\n'), -1000);
  assert.equal(oomScoreLeast('CapEff:\t000001fffeffffff\n', '0\n'), 0);
  assert.equal(oomScoreLeast('CapEff:\t000001fffeffffff\n', '-500\n'), -500);
  assert.equal(oomScoreLeast('', ''), 0);
});
