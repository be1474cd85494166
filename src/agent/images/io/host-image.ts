/**
 * `host.local/<program>`: an image made on demand from a program of this machine and the libraries that it needs.
 *
 *   name ──▶ program in PATH ──▶ ELF: loader, libraries ──▶ one layer (files, /etc, /tmp) over busybox's, where that is static
 *
 * Nothing foreign is run to find out what a program needs. Files keep their paths; large ones are linked, not copied, where they can be.
 * The image's fingerprint is made of what it was built from: another mtime or size of any file makes another image.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { CaelumError } from '../../../lib/index.ts';
import { type ElfFacts, readElf, readLoaderCache, searchFolders } from '../elf.ts';
import { runProgram } from './process.ts';

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const linkedBytesMin = 1 << 20;
const certificates = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];
/** Libraries that are not named by the program: name lookup before glibc 2.34, thread cancellation. */
const silentLibraries = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2', 'libgcc_s.so.1'];

export interface HostProgram {
  readonly program: string;
  /** Where it is on this machine, and in the image. */
  readonly path: string;
  /** Files of the image: path in the image → path here. */
  readonly files: ReadonlyMap<string, string>;
  /** Changes when any of the files does. */
  readonly fingerprint: string;
  /** What the files were like: path here → size, mtime, inode. */
  readonly stamps: Readonly<Record<string, string>>;
  readonly changedAtMs: number;
  readonly isStatic: boolean;
}

/** Throws `notFound` when the machine has no such program, `badRequest` when it is a script. */
export function findHostProgram(program: string): HostProgram {
  const path = program === 'node' ? realpathSync(process.execPath) : findInPath(program);
  if (path === undefined)
    throw new CaelumError(
      'notFound',
      `Cannot make image "host.local/${program}": no program "${program}" on this machine`,
    );
  let facts: ElfFacts;
  try {
    facts = elfFacts(path);
  } catch (cause) {
    throw new CaelumError(
      'badRequest',
      `Cannot make image "host.local/${program}": "${path}" is not a compiled program`,
      {
        cause,
      },
    );
  }
  const isStatic = facts.interpreter === undefined && facts.needed.length === 0;
  // Where it is found by name; one with libraries may look for them beside itself.
  const isElsewhere = isStatic && !folders.includes(dirname(path));
  const inImage = program === 'node' || isElsewhere ? `/usr/local/bin/${program}` : path;
  const files = new Map([[inImage, realpathSync(path)]]);
  if (!isStatic) addLibraries(program, path, facts, files);
  const certificate = certificates.find((one) => existsSync(one));
  if (program !== 'busybox' && certificate !== undefined)
    files.set('/etc/ssl/certs/ca-certificates.crt', realpathSync(certificate));
  const hash = createHash('sha256').update('host image 1\n');
  const stamps: Record<string, string> = {};
  for (const [to, from] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    stamps[from] = stampOf(from) ?? '';
    hash.update(`${to} ${from} ${stamps[from]}\n`);
  }
  const changedAtMs = Math.floor(statSync(path).mtimeMs);
  const fingerprint = `sha256:${hash.digest('hex')}`;
  return { program, path: inImage, files, fingerprint, stamps, changedAtMs, isStatic };
}

/** Whether the files that an image was made from are still as they were. */
export function isUnchanged(stamps: Readonly<Record<string, string>>): boolean {
  return Object.entries(stamps).every(([path, stamp]) => stampOf(path) === stamp);
}

function stampOf(path: string): string | undefined {
  try {
    const { size, mtimeMs, ino } = statSync(path);
    return `${size} ${mtimeMs} ${ino}`;
  } catch {
    return undefined;
  }
}

/** Writes the program's layer into an empty folder; answers its size in bytes. */
export async function writeHostLayer(host: HostProgram, folder: string): Promise<number> {
  let sizeBytes = 0;
  const target = (path: string): string => {
    const to = join(folder, path);
    mkdirSync(dirname(to), { recursive: true, mode: 0o755 });
    return to;
  };
  for (const [path, from] of host.files) {
    const { size } = statSync(from);
    place(from, target(path), size);
    sizeBytes += size;
  }
  if (host.program === 'busybox') await writeApplets(host, folder);
  const text = (path: string, content: string, mode = 0o644): void => {
    writeFileSync(target(path), content, { mode });
    sizeBytes += content.length;
  };
  text('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n');
  text('/etc/group', 'root:x:0:\nnobody:x:65534:\n');
  text('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n');
  for (const [path, mode] of [
    ['/tmp', 0o1777],
    ['/root', 0o700],
    ['/var/tmp', 0o1777],
    ['/proc', 0o555],
    ['/sys', 0o555],
    ['/dev', 0o755],
  ] as const) {
    mkdirSync(join(folder, path), { recursive: true });
    chmodSync(join(folder, path), mode);
  }
  chmodSync(folder, 0o755);
  return sizeBytes;
}

/** The static busybox that other host images stand on, so that they have a shell; undefined when there is none. */
export function staticBusybox(): HostProgram | undefined {
  try {
    const host = findHostProgram('busybox');
    return host.isStatic ? host : undefined;
  } catch {
    return undefined;
  }
}

async function writeApplets(host: HostProgram, folder: string): Promise<void> {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  if (host.path !== '/bin/busybox' && !existsSync(join(bin, 'busybox')))
    symlinkSync(host.path, join(bin, 'busybox'));
  for (const applet of (await runProgram(host.files.get(host.path) ?? host.path, ['--list'])).split('\n'))
    if (/^[\w[][\w.[-]*$/.test(applet) && applet !== 'busybox') symlinkSync('busybox', join(bin, applet));
  // Scripts name these folders in their first line.
  for (const [path, to] of [
    ['sbin', 'bin'],
    ['usr/bin', '../bin'],
    ['usr/sbin', '../bin'],
  ] as const)
    if (!existsSync(join(folder, path))) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      symlinkSync(to, join(folder, path));
    }
}

function place(from: string, to: string, sizeBytes: number): void {
  const { mode } = statSync(from);
  if (sizeBytes >= linkedBytesMin) {
    try {
      linkSync(from, to);
      return;
    } catch {
      // Another file system: a copy then, sharing its blocks where the file system can.
    }
  }
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  chmodSync(to, mode & 0o755);
}

function findInPath(program: string): string | undefined {
  const path = [
    ...(process.env['PATH'] ?? '').split(delimiter).filter((one) => one.startsWith('/')),
    ...folders,
  ];
  // busybox-static and busybox are both called so: the system's own folders first.
  for (const folder of program === 'busybox' ? folders : path) {
    const file = join(folder, program);
    try {
      const { mode } = statSync(file);
      // /bin and /usr/bin are often one folder: name the plain one, so that images are alike everywhere.
      if (statSync(file).isFile() && (mode & 0o111) !== 0)
        return program === 'busybox' && existsSync('/bin/busybox') ? '/bin/busybox' : file;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

function elfFacts(path: string): ElfFacts {
  const file = openSync(path, 'r');
  try {
    return readElf((offset, length) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
    });
  } finally {
    closeSync(file);
  }
}

function addLibraries(program: string, path: string, facts: ElfFacts, files: Map<string, string>): void {
  const cachePath = '/etc/ld.so.cache';
  const cache = existsSync(cachePath)
    ? readLoaderCache(readFileSync(cachePath))
    : new Map<string, readonly string[]>();
  const todo: { name: string; owner: ElfFacts; ownerFolder: string; isWanted: boolean }[] = [];
  const want = (owner: ElfFacts, ownerFolder: string): void => {
    for (const name of owner.needed) todo.push({ name, owner, ownerFolder, isWanted: true });
  };
  if (facts.interpreter !== undefined) files.set(facts.interpreter, realpathSync(facts.interpreter));
  want(facts, dirname(realpathSync(path)));
  for (const name of silentLibraries)
    todo.push({ name, owner: facts, ownerFolder: dirname(path), isWanted: false });
  const done = new Set<string>(facts.interpreter === undefined ? [] : [basename(facts.interpreter)]);
  for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
    const { name, owner, ownerFolder, isWanted } = next;
    if (done.has(name)) continue;
    const found = findLibrary(name, owner, ownerFolder, facts, cache);
    if (found === undefined) {
      if (!isWanted) continue;
      throw new CaelumError(
        'notFound',
        `Cannot make image "host.local/${program}": library "${name}" is nowhere on this machine`,
      );
    }
    done.add(name);
    files.set(found.path, realpathSync(found.path));
    // A library's own search path counts for what it needs; an rpath of the program counts for all.
    const inherited = { ...found.facts, rpath: [...found.facts.rpath, ...facts.rpath] };
    want(inherited, dirname(realpathSync(found.path)));
  }
  if (cache.size > 0) files.set(cachePath, cachePath);
}

function findLibrary(
  name: string,
  owner: ElfFacts,
  ownerFolder: string,
  program: ElfFacts,
  cache: ReadonlyMap<string, readonly string[]>,
): { path: string; facts: ElfFacts } | undefined {
  const { before, after } = searchFolders(owner, ownerFolder);
  const candidates = name.includes('/')
    ? [name]
    : [
        ...before.map((one) => join(one, name)),
        ...(cache.get(name) ?? []),
        ...after.map((one) => join(one, name)),
      ];
  for (const path of candidates) {
    try {
      const facts = elfFacts(path);
      if (facts.bits === program.bits && facts.machine === program.machine) return { path, facts };
    } catch {
      // Not there, or of another kind of machine.
    }
  }
  return undefined;
}
