/** `GET /caelum/snapshot`: a consistent copy of the whole store, for administrators. The door is the API server's own, so it works from afar too. */
import { createReadStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ExtraPaths } from '../apiserver/index.ts';
import { explainError } from '../lib/index.ts';
import type { Store } from '../store/index.ts';

export const snapshotPath = '/caelum/snapshot';

export function createSnapshotPaths(store: Store, directory: string): ExtraPaths {
  let count = 0;
  return ({ path, method, response }) => {
    if (path !== snapshotPath || method !== 'GET') return false;
    const file = join(directory, `snapshot-${process.pid}-${count++}`);
    const send = async (): Promise<void> => {
      try {
        const { revision, keys } = await store.save(file);
        response.writeHead(200, {
          'content-type': 'application/octet-stream',
          'caelum-revision': String(revision),
          'caelum-keys': String(keys),
        });
        await pipeline(createReadStream(file), response);
      } catch (error) {
        if (!response.headersSent)
          response.writeHead(507, { 'content-type': 'text/plain' }).end(explainError(error));
        else response.destroy();
      } finally {
        rmSync(file, { force: true });
      }
    };
    void send();
    return true;
  };
}
