/**
 * The parts of the system that a node needs beside Node: found in PATH, or installed by apt as root, or asked for by name.
 *
 *   missing? ─ no ─▶ go on, no process started, no network touched
 *       └ yes ─▶ root and apt ─▶ say what, install ─▶ check again
 *               └ otherwise, or --no-install ─▶ the exact command for this distribution
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CaelumError } from '../lib/index.ts';

interface Part {
  /** Any of these programs will do. */
  readonly programs: readonly string[];
  /** Package by family of distribution. */
  readonly packages: Readonly<Record<Family, string>>;
  readonly why: string;
}

type Family = 'debian' | 'fedora' | 'arch' | 'suse' | 'alpine';

const same = (name: string): Record<Family, string> => ({
  debian: name,
  fedora: name,
  arch: name,
  suse: name,
  alpine: name,
});

const parts: readonly Part[] = [
  { programs: ['crun', 'runc'], packages: same('crun'), why: 'runs containers' },
  { programs: ['conmon'], packages: same('conmon'), why: 'watches over containers' },
  { programs: ['nft'], packages: same('nftables'), why: 'virtual IPs and masquerade' },
  { programs: ['ip'], packages: { ...same('iproute2'), fedora: 'iproute' }, why: 'pod networks' },
  {
    programs: ['busybox'],
    packages: {
      debian: 'busybox-static',
      fedora: 'busybox',
      arch: 'busybox',
      suse: 'busybox-static',
      alpine: 'busybox-static',
    },
    why: 'the first image (host.local/busybox)',
  },
  { programs: ['nsenter'], packages: same('util-linux'), why: 'enters namespaces' },
  {
    programs: ['mount'],
    packages: { ...same('util-linux'), debian: 'mount' },
    why: 'root file systems of containers',
  },
];

const installCommand: Readonly<Record<Family, string>> = {
  debian: 'apt-get install -y',
  fedora: 'dnf install -y',
  arch: 'pacman -S --noconfirm',
  suse: 'zypper install -y',
  alpine: 'apk add',
};

/** Where a program is, looking also where administrators' programs are. */
export function findProgram(name: string, path = process.env['PATH'] ?? ''): string | undefined {
  for (const folder of [...path.split(':'), '/usr/sbin', '/sbin', '/usr/bin', '/bin']) {
    if (folder === '') continue;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Look on.
    }
  }
  return undefined;
}

function missingParts(): readonly Part[] {
  return parts.filter((part) => !part.programs.some((program) => findProgram(program) !== undefined));
}

/** Which family this machine's distribution belongs to, from os-release(5). */
export function familyOf(osRelease: string): Family | undefined {
  const words = new Set<string>();
  for (const match of osRelease.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm))
    for (const word of (match[1] ?? '').split(' ')) words.add(word);
  const has = (...names: readonly string[]): boolean => names.some((name) => words.has(name));
  if (has('debian', 'ubuntu')) return 'debian';
  if (has('fedora', 'rhel', 'centos')) return 'fedora';
  if (has('arch')) return 'arch';
  if (has('suse', 'opensuse')) return 'suse';
  if (has('alpine')) return 'alpine';
  return undefined;
}

/** The command that installs what is missing here. */
export function commandFor(missing: readonly Part[], family: Family | undefined, root: boolean): string {
  if (family === undefined)
    return `install ${missing.map((part) => part.packages.debian).join(', ')} with your distribution's package tool`;
  const packages = [...new Set(missing.map((part) => part.packages[family]))];
  return `${root ? '' : 'sudo '}${installCommand[family]} ${packages.join(' ')}`;
}

/** Makes sure that every part is there. Throws `unavailable` with the way out. */
export function ensureSystemParts(options: {
  readonly install: boolean;
  readonly say: (line: string) => void;
}): void {
  const missing = missingParts();
  if (missing.length === 0) return;
  let release = '';
  try {
    release = readFileSync('/etc/os-release', 'utf8');
  } catch {
    // No family then.
  }
  const family = familyOf(release);
  const root = process.getuid?.() === 0;
  const what = missing.map((part) => `${part.programs.join(' or ')} (${part.why})`).join(', ');
  const command = commandFor(missing, family, root);
  if (!options.install || !root || findProgram('apt-get') === undefined) {
    throw new CaelumError(
      'unavailable',
      `Cannot run containers: this machine lacks ${what}. Install with: ${command}`,
    );
  }
  options.say(
    `installing system parts: ${[...new Set(missing.map((part) => part.packages.debian))].join(', ')}`,
  );
  installWithApt([...new Set(missing.map((part) => part.packages.debian))], command);
  const still = missingParts();
  if (still.length > 0)
    throw new CaelumError(
      'unavailable',
      `Cannot run containers: still missing after "${command}": ${still.map((part) => part.programs[0]).join(', ')}`,
    );
}

function installWithApt(packages: readonly string[], command: string): void {
  const install = (): { status: number | null; text: string } => {
    const done = spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], {
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    return { status: done.status, text: `${done.stdout}${done.stderr}` };
  };
  let done = install();
  if (done.status !== 0) {
    // The lists of a fresh machine are empty or old.
    spawnSync('apt-get', ['update', '-q'], { encoding: 'utf8' });
    done = install();
  }
  if (done.status !== 0) {
    const tail = done.text.trim().split('\n').slice(-5).join('\n  ');
    throw new CaelumError('unavailable', `Cannot install system parts: "${command}" failed:\n  ${tail}`);
  }
}
