import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findHostProgram, staticBusybox } from './host-image.ts';

const busybox = staticBusybox();

test('a program from an unusual folder is found by its name in the image', {
  skip: busybox === undefined && 'needs a static busybox',
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-program-'));
  const path = process.env['PATH'];
  t.after(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true, force: true });
  });
  copyFileSync(busybox?.files.get(busybox.path) ?? '', join(folder, 'oddbox'));
  process.env['PATH'] = `${folder}:${path}`;
  const { files, path: inImage } = findHostProgram('oddbox');
  assert.equal(inImage, '/usr/local/bin/oddbox');
  assert.equal(files.get(inImage), join(folder, 'oddbox'));
  assert.match(busybox?.path ?? '', /^\/(usr\/)?bin\/busybox$/);
});
