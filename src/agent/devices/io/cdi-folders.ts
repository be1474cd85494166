/**
 * Reads the machine's descriptions of devices: of files of one name those of /var/run, which drivers write, come first. A file that makes no sense is
 * nobody's.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceFile } from '../cdi.ts';

export async function readDeviceFiles(
  folders = ['/var/run/cdi', '/etc/cdi'],
): Promise<readonly DeviceFile[]> {
  const files: DeviceFile[] = [];
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.toSorted()) {
      const kind = /\.(json|ya?ml)$/.exec(name)?.[1];
      if (kind === undefined) continue;
      const path = join(folder, name);
      const text = await readFile(path, 'utf8').catch(() => '');
      // Nearly nobody has any, so nobody else loads what reads them.
      const parse =
        kind === 'json' ? (one: string): unknown => JSON.parse(one) : (await import('yaml')).parse;
      try {
        files.push({ name: path, content: parse(text) });
      } catch {}
    }
  }
  return files;
}
