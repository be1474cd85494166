/** A cloud started for a test by its own command line, in a folder and on a port of its own, and taken away whole afterwards. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clientBinary } from '../tools/kubectl.ts';

export const home = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const launcher = join(home, 'caelum');

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CloudUnderTest {
  readonly data: string;
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
  /** Runs `caelum WORDS --data …`. */
  caelum(...words: string[]): Promise<CommandResult>;
  /** Runs a line of shell with kubectl and KUBECONFIG in place. */
  shell(line: string, timeoutMs?: number): Promise<CommandResult>;
  /** Stops it and removes everything. */
  remove(): Promise<void>;
}

/** Why real containers cannot run here; undefined when they can. */
export function whyNotReal(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const has = (name: string): boolean =>
    [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'].some(
      (folder) => folder !== '' && existsSync(join(folder, name)),
    );
  const missing = [['crun', 'runc'], ['conmon'], ['nft'], ['ip'], ['busybox']].filter(
    (names) => !names.some(has),
  );
  return missing.length === 0 ? undefined : `needs ${missing.map((names) => names.join(' or ')).join(', ')}`;
}

/** Why kubectl cannot be tried here. */
export function whyNoKubectl(): string | undefined {
  return clientBinary('kubectl') === undefined ? 'needs the development dependencies (kubectl)' : undefined;
}

/** A folder and a port for a cloud that is not started yet. */
export async function prepareCloud(options: { readonly kubectl?: string } = {}): Promise<CloudUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-test-'));
  const data = join(folder, 'data');
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(launcher, join(bin, 'caelum'));
  const kubectl = options.kubectl ?? clientBinary('kubectl');
  if (kubectl !== undefined) symlinkSync(kubectl, join(bin, 'kubectl'));
  const helm = clientBinary('helm');
  if (helm !== undefined) symlinkSync(helm, join(bin, 'helm'));
  const port = await freePort();
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`,
    HOME: folder,
    CAELUM_NODE: process.execPath,
    CAELUM_DATA: data,
    CAELUM_PORT: String(port),
    DATA: data,
    KUBECONFIG: join(data, 'kubeconfig'),
    EXAMPLES: join(home, 'examples'),
    CHARTS: join(home, 'scenarios/helm'),
    MANIFESTS: join(home, 'scenarios/manifests'),
    TERM: 'dumb',
  };
  delete env['NODE_OPTIONS'];
  delete env['NODE_TEST_CONTEXT'];
  const cloud: CloudUnderTest = {
    data,
    port,
    env,
    caelum: (...words) => runCommand(launcher, words, env, 120_000),
    shell: (line, timeoutMs = 120_000) => runCommand('/bin/bash', ['-c', line], env, timeoutMs),
    remove: async () => {
      const down = await cloud.caelum('down', '--purge');
      rmSync(folder, { recursive: true, force: true });
      if (down.code !== 0) throw new Error(`caelum down --purge failed: ${down.stderr}`);
    },
  };
  return cloud;
}

/** Starts it. On failure everything is removed and the logs are in the error. */
export async function startCloud(...words: string[]): Promise<CloudUnderTest> {
  const cloud = await prepareCloud();
  await startPrepared(cloud, ...words);
  return cloud;
}

export async function startPrepared(cloud: CloudUnderTest, ...words: string[]): Promise<CommandResult> {
  const up = await cloud.caelum('up', '--detach', '--no-install', '--api-port', String(cloud.port), ...words);
  if (up.code === 0) return up;
  const logs = logsOf(cloud);
  await cloud.remove().catch(() => {});
  throw new Error(`caelum up failed: ${up.stdout}${up.stderr}\n${logs}`);
}

/** The end of every log, for a failure that nobody can look at later. */
export function logsOf(cloud: CloudUnderTest): string {
  return ['up', 'supervisor', 'control-plane', 'node-agent']
    .map((name) => join(cloud.data, 'logs', `${name}.log`))
    .filter((file) => existsSync(file))
    .map((file) => `--- ${file}\n${readFileSync(file, 'utf8').split('\n').slice(-40).join('\n')}`)
    .join('\n');
}

export function runCommand(
  file: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
): Promise<CommandResult> {
  return new Promise((done) => {
    execFile(
      file,
      [...words],
      { env, timeout: timeoutMs, maxBuffer: 1 << 26, encoding: 'utf8' },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        const killed = error?.killed === true ? `\n(ended after ${timeoutMs} ms)` : '';
        done({ code, stdout, stderr: `${stderr}${killed}` });
      },
    );
  });
}

/**
 * A port that is free, and that nobody is given meanwhile: below those that the kernel hands out to whoever connects or does not
 * care (from 32768) and below node ports (from 30000), since a cloud takes it a while later, and again after a restart.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; ; tries++) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    if (await isFree(port)) return port;
    if (tries === 100) throw new Error('no port from 15000 to 29999 is free');
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '0.0.0.0', () => server.close(() => done(true)));
  });
}

/** Asks again until the answer is there. Level-triggered and bounded. */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadlineMs)
      throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: last });
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** A process of the test's own. */
export const start = spawn;
