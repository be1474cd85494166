/** Reads the machine's descriptions of devices: of files of one name those of /var/run, which drivers write, come first. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceFile } from '../cdi.ts';

export async function readDeviceFiles(
  folders = ['/var/run/cdi', '/etc/cdi'],
): Promise<readonly DeviceFile[]> {
  const files: DeviceFile[] = [];
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.toSorted())
      if (/\.(json|ya?ml)$/.test(name)) {
        const path = join(folder, name);
        const text = await readFile(path, 'utf8').catch(() => '');
        files.push({ name: path, text });
      }
  }
  return files;
}
