/** The manifests of a folder: each file that ends in .yaml, .yml or .json is a pod. Files that begin with a dot are passed over, as the kubelet does. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StaticManifest, StaticSource } from '../static-pods.ts';

export function staticFolder(folder: string): StaticSource {
  return async () => {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const wanted = names.filter((name) => !name.startsWith('.') && /\.(ya?ml|json)$/.test(name)).sort();
    const manifests: StaticManifest[] = [];
    for (const name of wanted) {
      const file = join(folder, name);
      const text = await readFile(file, 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      const hash = createHash('sha256').update(`${file}\n${text}`).digest('hex');
      manifests.push({ file, hash, object: await parsed(text) });
    }
    return manifests;
  };
}

/** What cannot be parsed is said where the pod is made of it. */
async function parsed(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text) as unknown;
  } catch {
    return undefined;
  }
}
