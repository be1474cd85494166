/**
 * `caelum up`: starts a cloud and says when it is ready. In the foreground the supervisor is this process; with --detach it is one of its own,
 * and this one ends when the cloud is ready.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Arguments, usage } from '../../cli/index.ts';
import { CaelumError, silentLog } from '../../lib/index.ts';
import { dataOption, print, type RunnableCommand, say } from '../command.ts';
import { dataDirectoryOf, type Layout, layoutOf } from '../layout.ts';
import { apiUrl } from '../settings.ts';
import { prepareCloud, startSupervisor, type UpOptions } from '../supervise.ts';
import { processCommand, type StartMessage } from '../supervisor.ts';
import { ensureSystemParts } from '../system-parts.ts';

export const up: RunnableCommand = {
  name: 'up',
  summary: 'Starts a cloud on this machine and prints one line when it is ready.',
  options: [
    dataOption,
    { name: 'api-port', value: 'PORT', help: 'port of the API server (default 6443)' },
    { name: 'api-host', value: 'ADDRESS', help: 'address that the API server listens on (default: all)' },
    { name: 'detach', short: 'd', help: 'return when ready; the cloud runs on' },
    { name: 'node-name', value: 'NAME', help: "this machine's node (default: its host name)" },
    { name: 'hollow', value: 'N', help: 'N simulated nodes in place of the real one (no root needed)' },
    {
      name: 'audit-policy',
      value: 'FILE',
      help: 'keep an audit log, by this Policy (audit.k8s.io/v1)',
    },
    { name: 'audit-log', value: 'FILE', help: 'where to (default: logs/audit.log of the data directory)' },
    { name: 'audit-strict', help: 'refuse requests that cannot be audited' },
    {
      name: 'authentication-config',
      value: 'FILE',
      help: "whose tokens are believed beside this cloud's own: an AuthenticationConfiguration (apiserver.config.k8s.io/v1)",
    },
    {
      name: 'authorization-config',
      value: 'FILE',
      help: 'who is asked what may be done: an AuthorizationConfiguration (apiserver.config.k8s.io/v1)',
    },
    {
      name: 'authentication-token-webhook-config-file',
      value: 'FILE',
      help: 'a webhook that knows tokens, as a kubeconfig',
    },
    {
      name: 'requestheader-client-ca-file',
      value: 'FILE',
      help: 'authorities of proxies that say in X-Remote-User and X-Remote-Group who asks',
    },
    {
      name: 'requestheader-allowed-names',
      value: 'NAMES',
      help: 'common names of such proxies, apart by commas (default: any that the authorities signed)',
    },
    {
      name: 'enable-admission-plugins',
      value: 'NAMES',
      help: 'beside those that are on: AlwaysPullImages, DenyServiceExternalIPs, ExtendedResourceToleration',
    },
    {
      name: 'disable-admission-plugins',
      value: 'NAMES',
      help: 'apart by commas; OwnerReferencesPermissionEnforcement is on, unlike in Kubernetes',
    },
    {
      name: 'node-config',
      value: 'FILE',
      help: 'what this node does under pressure and allows: a KubeletConfiguration (kubelet.config.k8s.io/v1beta1)',
    },
    { name: 'no-agent', help: 'the control plane alone: no node' },
    { name: 'no-install', help: 'never install system parts' },
  ],
  notes:
    'Stop it with "caelum down". Ctrl-C stops the cloud\'s own processes; containers run on until "caelum down".',
  run,
};

async function run(given: Arguments): Promise<number> {
  const layout = layoutOf(dataDirectoryOf(given.value('data')));
  const hollow = given.integer('hollow', 1, 100_000) ?? 0;
  const audit = await auditOptions(given);
  const access = await accessOptions(given);
  const options: UpOptions = {
    apiPort: given.integer('api-port', 1, 65_535) ?? 6443,
    apiHost: given.value('api-host'),
    nodeName: given.value('node-name'),
    hollow,
    agent: hollow === 0 && !given.flag('no-agent'),
    ...(audit === undefined ? {} : { audit }),
    ...(access === undefined ? {} : { access }),
    ...(await admissionOptions(given)),
    ...(await nodeOptions(given)),
  };
  if (options.nodeName !== undefined && !/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(options.nodeName))
    throw usage(
      up,
      `--node-name "${options.nodeName}" is no node name: lower-case letters, digits, "-" and "." only`,
    );
  if (options.agent) {
    if (process.getuid?.() !== 0)
      throw new CaelumError(
        'forbidden',
        'Cannot start a node: containers need root. Run it with sudo, or try simulated nodes without root: caelum up --hollow 3',
      );
    ensureSystemParts({ install: !given.flag('no-install'), say });
  }
  return given.flag('detach') ? detach(layout, options) : foreground(layout, options);
}

/** Names that mean nothing are said here, before anything starts. */
async function admissionOptions(given: Arguments): Promise<Pick<UpOptions, 'admission'>> {
  const names = (option: string): readonly string[] =>
    (given.value(option) ?? '').split(',').filter((one) => one !== '');
  const [enable, disable] = [names('enable-admission-plugins'), names('disable-admission-plugins')];
  if (enable.length + disable.length === 0) return {};
  const { checkAdmissionPlugins } = await import('../../apiserver/index.ts');
  checkAdmissionPlugins({ enable, disable });
  return { admission: { enable, disable } };
}

/** A configuration that means nothing here is said here, before anything starts. */
async function nodeOptions(given: Arguments): Promise<Pick<UpOptions, 'node' | 'shutdownMs'>> {
  const file = given.value('node-config');
  if (file === undefined) return {};
  const [{ parse }, { parseNodeConfig, shutdownMsOf }] = await Promise.all([
    import('yaml'),
    import('../../agent/index.ts'),
  ]);
  let node: unknown;
  try {
    node = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new CaelumError(
      'invalid',
      `Cannot read node configuration "${file}": ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
  const shutdownMs = shutdownMsOf(parseNodeConfig(node));
  return shutdownMs === 0 ? { node } : { node, shutdownMs };
}

/** Files that cannot be used are said here, before anything starts. */
async function accessOptions(given: Arguments): Promise<UpOptions['access']> {
  const file = (name: string): string | undefined => {
    const path = given.value(name);
    return path === undefined ? undefined : resolve(path);
  };
  const named = {
    authentication: file('authentication-config'),
    authorization: file('authorization-config'),
    tokenWebhook: file('authentication-token-webhook-config-file'),
    requestHeaderCa: file('requestheader-client-ca-file'),
  };
  const names = given.value('requestheader-allowed-names');
  if (names !== undefined && named.requestHeaderCa === undefined)
    throw usage(
      up,
      'proxies are known by their authority: say which with --requestheader-client-ca-file FILE',
    );
  const access = Object.fromEntries(Object.entries(named).filter(([, path]) => path !== undefined));
  if (Object.keys(access).length === 0) return undefined;
  const [{ readAccessFiles }, { realClock }] = await Promise.all([
    import('../access-files.ts'),
    import('../../lib/io/real-clock.ts'),
  ]);
  const post = (): never => {
    throw new CaelumError('unavailable', 'nobody is asked yet');
  };
  await readAccessFiles(access, { post, clock: realClock, log: silentLog });
  return {
    ...access,
    ...(names === undefined ? {} : { requestHeaderNames: names.split(',').filter((one) => one !== '') }),
  };
}

/** A policy that is none is said here, before anything starts. */
async function auditOptions(given: Arguments): Promise<UpOptions['audit']> {
  const policyFile = given.value('audit-policy');
  const file = given.value('audit-log');
  if (policyFile === undefined) {
    if (file !== undefined || given.flag('audit-strict'))
      throw usage(up, 'an audit log is kept by a policy: say which with --audit-policy FILE');
    return undefined;
  }
  const [{ parse }, { readAuditPolicy }] = await Promise.all([
    import('yaml'),
    import('../../apiserver/index.ts'),
  ]);
  let policy: unknown;
  try {
    policy = parse(readFileSync(policyFile, 'utf8'));
  } catch (cause) {
    throw new CaelumError(
      'invalid',
      `Cannot read audit policy "${policyFile}": ${(cause as Error).message}`,
      { cause },
    );
  }
  readAuditPolicy(policy);
  return {
    policy,
    file: file === undefined ? undefined : resolve(file),
    strict: given.flag('audit-strict'),
  };
}

const sinceLaunchMs = (): number => performance.now();

async function foreground(layout: Layout, options: UpOptions): Promise<number> {
  const failed = Promise.withResolvers<never>();
  await prepareCloud(layout, options);
  const supervisor = startSupervisor(layout, {
    onFailed: (_name, message) =>
      failed.reject(new CaelumError(message.code as CaelumError['code'], message.message)),
    onRestart: (name, delayMs) =>
      say(
        `${name} has ended: starting it again${delayMs > 0 ? ` in ${delayMs} ms` : ''}; see ${layout.logs}/${name}.log`,
      ),
  });
  const told = Promise.withResolvers<string>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => told.resolve(signal));
  try {
    const first = await Promise.race([supervisor.ready, failed.promise, told.promise]);
    if (first === undefined) {
      print(`ready in ${(sinceLaunchMs() / 1000).toFixed(1)} s  ${apiUrl(options)}\n`);
      // What cannot start later on is tried again and logged; only a failed first start ends the cloud.
      failed.promise.catch(() => {});
      await told.promise;
    }
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
  await supervisor.stop();
  process.exit(0);
}

/** Starts the supervisor as a process of its own, and waits for its word. What the preparation loads stays with this process, which ends. */
async function detach(layout: Layout, options: UpOptions): Promise<number> {
  const held = await prepareCloud(layout, options);
  await new Promise((done) => held.close(done));
  mkdirSync(layout.logs, { recursive: true });
  const log = openSync(layout.consoleLog, 'a', 0o640);
  const child = spawn(process.execPath, processCommand('supervisor', layout), {
    detached: true,
    cwd: '/',
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const message = await new Promise<StartMessage>((done) => {
    child.once('message', (said) => done(said as StartMessage));
    child.once('exit', () =>
      done({
        kind: 'failed',
        code: 'internal',
        message: `Cannot start cloud "${layout.data}": it ended without a word; see ${layout.logs}`,
      }),
    );
  });
  if (message.kind === 'failed') throw new CaelumError(message.code as CaelumError['code'], message.message);
  print(`ready in ${(sinceLaunchMs() / 1000).toFixed(1)} s  ${apiUrl(options)}\n`);
  child.disconnect();
  child.unref();
  return 0;
}
