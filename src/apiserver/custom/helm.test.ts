/** Helm with a chart that brings its own kinds: definitions first, then objects of them, upgraded and taken away. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { clientBinary } from '../../../tools/kubectl.ts';
import { kubeconfigText } from '../../main/kubeconfig.ts';
import { startTestServer } from '../io/test-server.ts';
import { aDefinition } from './test-definition.ts';

const helm = clientBinary('helm');

const object = `apiVersion: example.com/v1
kind: Widget
metadata: { name: {{ .Release.Name }} }
spec: { size: {{ .Values.size }} }
`;

test('helm installs, upgrades and uninstalls a chart with definitions', {
  skip: helm === undefined && 'no helm',
}, async (t) => {
  const server = await startTestServer(t);
  const folder = mkdtempSync(join(tmpdir(), 'caelum-helm-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const chart = join(folder, 'chart');
  for (const part of ['crds', 'templates']) mkdirSync(join(chart, part), { recursive: true });
  const definition = aDefinition({
    spec: { type: 'object', properties: { size: { type: 'integer', maximum: 5 } } },
  });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: widgets\nversion: 1.0.0\n');
  writeFileSync(join(chart, 'values.yaml'), 'size: 1\n');
  writeFileSync(join(chart, 'crds/widgets.yaml'), JSON.stringify(definition));
  writeFileSync(join(chart, 'templates/widget.yaml'), object);
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigText(server.server.url, server.pki));
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder, HELM_CACHE_HOME: folder };
  const run = (...words: string[]): Promise<{ readonly code: number; readonly text: string }> =>
    new Promise((resolve) => {
      execFile(helm ?? '', words, { env, timeout: 120_000, encoding: 'utf8' }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : 1, text: stdout + stderr });
      });
    });
  const path = '/apis/example.com/v1/namespaces/default/widgets/one';
  const installed = await run('install', 'one', chart);
  assert.equal(installed.code, 0, installed.text);
  assert.equal((await server.call('GET', path)).body.spec.size, 1);
  const upgraded = await run('upgrade', 'one', chart, '--set', 'size=3');
  assert.equal(upgraded.code, 0, upgraded.text);
  assert.equal((await server.call('GET', path)).body.spec.size, 3);
  const refused = await run('upgrade', 'one', chart, '--set', 'size=9');
  assert.match(
    refused.text,
    /spec.size: Invalid value: 9: spec.size in body should be less than or equal to 5/,
  );
  const removed = await run('uninstall', 'one');
  assert.equal(removed.code, 0, removed.text);
  assert.equal((await server.call('GET', path)).status, 404);
});
