/** Webhooks for tests: an HTTPS server of its own authority, whose paths behave as they are told. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ensurePki, type Pki } from '../../security/index.ts';
import type { TestServer } from './test-server.ts';

export interface Review {
  readonly apiVersion: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into requests freely
  readonly request: any;
}

/** What the hook at a path answers; undefined: nothing, ever. */
export type Behaviour = (review: Review) => unknown;

let shared: Promise<Pki> | undefined;

export function hookPki(): Promise<Pki> {
  const directory = mkdtempSync(join(tmpdir(), 'caelum-hook-test-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const names = ['127.0.0.1', 'hook.default.svc'];
  shared ??= ensurePki({ directory, nodeName: 'n', names, agentNames: names, nowMs: Date.now() });
  return shared;
}

export interface Hooks {
  readonly url: string;
  readonly port: number;
  readonly caBundle: string;
  readonly asked: { readonly path: string; readonly review: Review }[];
}

export async function startHooks(
  t: TestContext,
  behaviours: Readonly<Record<string, Behaviour>>,
): Promise<Hooks> {
  const pki = await hookPki();
  const asked: { path: string; review: Review }[] = [];
  const server: Server = createServer(
    { cert: pki.apiserver.cert, key: pki.apiserver.key },
    (request, response) => {
      let text = '';
      request.on('data', (part: Buffer) => {
        text += part.toString();
      });
      request.on('end', () => {
        const path = (request.url ?? '').split('?')[0] ?? '';
        const review = JSON.parse(text) as Review;
        asked.push({ path: path.slice(1), review });
        const behaviour = behaviours[path.slice(1)];
        if (behaviour === undefined) {
          response.writeHead(404);
          response.end();
          return;
        }
        const said = behaviour(review);
        if (said === undefined) return;
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(typeof said === 'string' ? said : JSON.stringify(said));
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `https://127.0.0.1:${port}`, port, caBundle: btoa(pki.ca.cert), asked };
}

export const answer = ({ apiVersion, request }: Review, response: object) => ({
  apiVersion,
  kind: 'AdmissionReview',
  response: { uid: request.uid, ...response },
});

export const allow: Behaviour = (review) => answer(review, { allowed: true });
export const patching =
  (patch: readonly object[], more: object = {}): Behaviour =>
  (review) =>
    answer(review, {
      allowed: true,
      patchType: 'JSONPatch',
      patch: btoa(JSON.stringify(patch)),
      ...more,
    });

export const everything = {
  operations: ['*'],
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: ['configmaps'],
};

export async function register(
  { call }: TestServer,
  kind: 'Mutating' | 'Validating',
  name: string,
  hooks: readonly object[],
): Promise<void> {
  const { status, text } = await call(
    'POST',
    `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}webhookconfigurations`,
    {
      body: {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: `${kind}WebhookConfiguration`,
        metadata: { name },
        webhooks: hooks.map((hook) => ({
          rules: [everything],
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          ...hook,
        })),
      },
    },
  );
  assert.equal(status, 201, text);
}

export const at = (hooks: Hooks, path: string) => ({
  name: `${path}.example.com`,
  clientConfig: { url: `${hooks.url}/${path}`, caBundle: hooks.caBundle },
});

export const configMaps = '/api/v1/namespaces/default/configmaps';
export const configMap = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
});
