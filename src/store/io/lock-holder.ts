/** Who has locked a file, as far as the kernel tells: for error messages. */
import { readFileSync } from 'node:fs';

/** `process 4711 (node src/main/caelum.ts up)`, or `another process`. */
export function lockHolder({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  // Linux's device number as /proc/locks writes it: major:minor in hexadecimal.
  const major = Math.floor(dev / 256) & 0xfff;
  const minor = (dev & 0xff) | (Math.floor(dev / 2 ** 12) & 0xfff00);
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  const place = `${hex(major)}:${hex(minor)}:${ino}`;
  try {
    const line = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .find((text) => text.includes(` ${place} `));
    const pid = Number(line?.trim().split(/\s+/)[4]);
    if (!(pid > 0)) return 'another process';
    if (pid === process.pid) return 'this process';
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean).join(' ');
    return `process ${pid} (${command.slice(0, 200)})`;
  } catch {
    return 'another process';
  }
}
