/** What a pod may ask of the runtime, on real containers: its class, kernel settings, filters, images as volumes, rules of restart. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { KubeObject, Pod, RuntimeClass } from '../src/api/index.ts';
import { isError } from '../src/lib/index.ts';
import { eventually, whyNotReal } from './cloud-under-test.ts';
import { busybox, core, forever, patienceMs, pods, RealCloud, ref, shellPod } from './real-cloud.ts';

const skip = whyNotReal() ?? false;
const folder = mkdtempSync(join(tmpdir(), 'caelum-runtime-things-'));
const classes = ref('node.k8s.io', 'v1', 'runtimeclasses', false);
let cloud: RealCloud;
let namespace: string;

before(async () => {
  if (skip) return;
  const file = join(folder, 'node.yaml');
  writeFileSync(file, 'kind: KubeletConfiguration\nallowedUnsafeSysctls: ["kernel.msg*"]\n');
  cloud = await RealCloud.start('--node-config', file);
  namespace = await cloud.namespace();
});
after(async () => {
  await cloud?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const aClass = (name: string, handler: string, more: Partial<RuntimeClass> = {}) =>
  cloud.client.create<RuntimeClass>(classes, {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name },
    handler,
    ...more,
  });

const eventOf = (name: string, words: RegExp): Promise<string> =>
  eventually(`event ${words} of ${name}`, patienceMs, async () => {
    const { items } = await cloud.client.list<KubeObject>(core('events'), { namespace });
    for (const event of items) {
      const { involvedObject, reason, message } = event as unknown as Record<string, unknown>;
      const text = `${reason}: ${message}`;
      if ((involvedObject as { name?: string } | undefined)?.name === name && words.test(text)) return text;
    }
    return undefined;
  });

const reasonOf = (pod: Pod): string | undefined => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason;

describe('RuntimeClass', { skip, concurrency: true }, () => {
  // conformance: [sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead [NodeConformance]
  test('the node runs pods of a class whose handler it knows', async () => {
    await aClass('plain', 'runc');
    const pod = shellPod('of-plain', forever, { spec: { runtimeClassName: 'plain' } });
    await cloud.create(pods, namespace, pod);
    const ready = await cloud.ready(namespace, 'of-plain');
    assert.ok(ready.spec?.nodeName);
    assert.equal(ready.spec?.overhead, undefined);
  });

  // conformance: [sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead [NodeConformance]
  test('what a class costs is written into its pods', async () => {
    await aClass('costly', 'crun', { overhead: { podFixed: { cpu: '10m', memory: '1Mi' } } });
    const pod = shellPod('of-costly', forever, {
      spec: { runtimeClassName: 'costly' },
      container: { resources: { limits: { memory: '20Mi' } } },
    });
    await cloud.create(pods, namespace, pod);
    const ready = await cloud.ready(namespace, 'of-costly');
    assert.deepEqual(ready.spec?.overhead, { cpu: '10m', memory: '1Mi' });
  });

  // conformance: [sig-node] RuntimeClass should reject a Pod requesting a deleted RuntimeClass [NodeConformance]
  test('a pod of a class that was deleted is refused', async () => {
    await aClass('short', 'crun');
    await cloud.client.delete(classes, undefined, 'short');
    await cloud.gone(classes, undefined, 'short');
    const pod = shellPod('of-short', forever, { spec: { runtimeClassName: 'short' } });
    await assert.rejects(cloud.create(pods, namespace, pod), (error) => {
      assert.ok(isError(error, 'forbidden'));
      assert.match(String(error), /RuntimeClass "short" not found/);
      return true;
    });
  });

  test('a handler that the node does not have is told', async () => {
    await aClass('strange', 'gvisor');
    const pod = shellPod('of-strange', forever, { spec: { runtimeClassName: 'strange' } });
    await cloud.create(pods, namespace, pod);
    await eventOf('of-strange', /^FailedCreatePodSandBox: .*no runtime for "gvisor" is configured/);
    await cloud.until(namespace, 'of-strange', 'waits', (found) => reasonOf(found) === 'ContainerCreating');
    await cloud.client.delete(pods, namespace, 'of-strange');
    await cloud.gone(pods, namespace, 'of-strange');
  });
});

const withSysctl = (name: string, sysctl: string, value: string, line: string) =>
  shellPod(name, line, { spec: { securityContext: { sysctls: [{ name: sysctl, value }] } } });

describe('Sysctls', { skip, concurrency: true }, () => {
  // conformance: [sig-node] Sysctls [LinuxOnly] [NodeConformance] should support sysctls [Environment:NotInUserNS]
  test('safe ones are set, however they are written', async () => {
    const shown = await cloud.outputOf(
      namespace,
      withSysctl('safe', 'kernel.shm_rmid_forced', '1', 'sysctl -n kernel.shm_rmid_forced'),
    );
    assert.equal(shown.trim(), '1');
    const slashes = 'net/ipv4/ip_unprivileged_port_start';
    const port = withSysctl('slashes', slashes, '79', 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start');
    assert.equal((await cloud.outputOf(namespace, port)).trim(), '79');
  });

  // conformance: [sig-node] Sysctls [LinuxOnly] [NodeConformance] should reject invalid sysctls
  test('names that are none are refused', async () => {
    const sysctls = ['foo-', 'kernel.shmmax', 'safe', 'bar..', 'net./'].map((name) => ({ name, value: '1' }));
    const pod = shellPod('invalid', forever, { spec: { securityContext: { sysctls } } });
    await assert.rejects(cloud.create(pods, namespace, pod), (error) => {
      const text = String(error);
      assert.match(text, /Invalid value: "foo-"/);
      assert.match(text, /Invalid value: "bar\.\."/);
      assert.doesNotMatch(text, /kernel\.shmmax|"safe"/);
      return true;
    });
  });

  test('unsafe ones are the administrator’s to allow', async () => {
    await cloud.create(pods, namespace, withSysctl('unsafe', 'kernel.shmmax', '1', forever));
    const { status } = await cloud.ended(namespace, 'unsafe');
    assert.deepEqual([status?.phase, status?.reason], ['Failed', 'SysctlForbidden']);
    assert.equal(status?.message, 'Pod was rejected: forbidden sysctl: "kernel.shmmax" not allowlisted');
    const allowed = withSysctl('allowed', 'kernel.msgmax', '4096', 'cat /proc/sys/kernel/msgmax');
    assert.equal((await cloud.outputOf(namespace, allowed)).trim(), '4096');
  });
});

describe('filters and views', { skip, concurrency: true }, () => {
  test('seccomp: none, the default, and a profile of the node', async () => {
    const profiles = join(cloud.cloud.data, 'node/seccomp');
    mkdirSync(profiles, { recursive: true });
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
    };
    writeFileSync(join(profiles, 'no-mkdir.json'), JSON.stringify(profile));
    writeFileSync(join(profiles, 'damaged.json'), '{');
    const run = (name: string, type: string, localhostProfile?: string) =>
      cloud.outputOf(
        namespace,
        shellPod(name, 'grep Seccomp: /proc/self/status; mkdir /tmp/x && echo made; true', {
          container: {
            securityContext: {
              seccompProfile: { type, ...(localhostProfile === undefined ? {} : { localhostProfile }) },
            },
          },
        }),
      );
    assert.match(await run('open', 'Unconfined'), /Seccomp:\s+0\nmade/);
    assert.match(await run('default', 'RuntimeDefault'), /Seccomp:\s+2\nmade/);
    assert.match(await run('own', 'Localhost', 'no-mkdir.json'), /Seccomp:\s+2\nmkdir:.*not permitted/s);
    for (const [name, file, words] of [
      ['lost', 'absent.json', /cannot load seccomp profile "absent.json": ENOENT/],
      ['escape', '../../pki/ca.key', /outside of the folder/],
      ['damaged', 'damaged.json', /it is no seccomp profile/],
    ] as const) {
      const pod = shellPod(name, forever, {
        container: { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: file } } },
      });
      await cloud.create(pods, namespace, pod).then(
        () => eventOf(name, words),
        // What is no name of a file is refused before.
        (error) => assert.ok(name === 'escape', String(error)),
      );
    }
  });

  test('AppArmor that the node cannot enforce, and users of its own, are told', async () => {
    const armed = shellPod('armed', forever, {
      spec: { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } },
    });
    await cloud.create(pods, namespace, armed);
    const { status } = await cloud.ended(namespace, 'armed');
    assert.equal(status?.reason, 'AppArmor');
    assert.match(status?.message ?? '', /^Pod was rejected: Cannot enforce AppArmor: /);
    await cloud.create(pods, namespace, shellPod('users', forever, { spec: { hostUsers: false } }));
    await eventOf('users', /can.t set `spec.hostUsers: false`, runtime does not support user namespaces/);
  });
});

describe('images as volumes', { skip, concurrency: true }, () => {
  const withImage = (name: string, reference: string, line: string, more: object = {}) =>
    shellPod(name, line, {
      spec: { volumes: [{ name: 'v', image: { reference, ...more } }] },
      container: { volumeMounts: [{ name: 'v', mountPath: '/image' }] },
    });

  // conformance: [sig-node] ImageVolume should succeed with pod and pull policy of Always [LinuxOnly] [MinimumKubeletVersion:1.35]
  test('the files of an image are there, to read', async () => {
    const text = await cloud.outputOf(
      namespace,
      withImage('shows', busybox, 'ls /image/bin/busybox; touch /image/x 2>&1; true', {
        pullPolicy: 'Always',
      }),
    );
    assert.match(text, /^\/image\/bin\/busybox\n/);
    assert.match(text, /Read-only file system/);
  });

  test('it stays when the agent is started anew, and goes with the pod', async () => {
    await cloud.create(pods, namespace, withImage('stays', busybox, forever));
    await cloud.ready(namespace, 'stays');
    const state = JSON.parse((await cloud.cloud.caelum('status', '-o', 'json')).stdout) as {
      readonly processes: readonly { readonly name: string; readonly pid: number }[];
    };
    process.kill(state.processes.find(({ name }) => name === 'node-agent')?.pid ?? 0, 'SIGKILL');
    const { code } = await cloud.execUntil(
      namespace,
      'stays',
      'ls /image/bin/busybox',
      (output) => output.code === 0,
    );
    assert.equal(code, 0);
    await cloud.client.delete(pods, namespace, 'stays');
    await cloud.gone(pods, namespace, 'stays');
  });

  test('an image that is not to be had is waited for, as that of a container', async () => {
    await cloud.create(pods, namespace, withImage('lacks', 'host.local/no-such-program', forever));
    const pod = await cloud.until(namespace, 'lacks', 'waits', (found) =>
      ['ErrImagePull', 'ImagePullBackOff'].includes(reasonOf(found) ?? ''),
    );
    assert.match(pod.status?.containerStatuses?.[0]?.state?.waiting?.message ?? '', /no-such-program/);
    await cloud.create(
      pods,
      namespace,
      withImage('never', 'host.local/awk', forever, { pullPolicy: 'Never' }),
    );
    await cloud.until(namespace, 'never', 'waits', (found) => reasonOf(found) === 'ErrImageNeverPull');
  });
});

describe('rules of restart', { skip, concurrency: true }, () => {
  test('a container may be run again by its exit code, though the pod’s policy is Never', async () => {
    const line = 'n=$(cat /v/n 2>/dev/null || echo 0); echo $((n+1)) > /v/n; [ $n -lt 2 ] && exit 42; exit 7';
    const pod = shellPod('ruled', line, {
      spec: { volumes: [{ name: 'v', emptyDir: {} }] },
      container: {
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
        restartPolicy: 'Never',
        restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
      },
    });
    await cloud.create(pods, namespace, pod);
    const { status } = await cloud.ended(namespace, 'ruled');
    const [main] = status?.containerStatuses ?? [];
    assert.deepEqual(
      [status?.phase, main?.restartCount, main?.state?.terminated?.exitCode],
      ['Failed', 2, 7],
    );
  });

  test('a container may have the whole pod begin anew, in place', async () => {
    const volumeMounts = [{ name: 'v', mountPath: '/v' }];
    const pod = shellPod('gang', `echo main >> /v/log; ${forever}`, {
      spec: {
        volumes: [{ name: 'v', emptyDir: {} }],
        initContainers: [
          { name: 'setup', image: busybox, command: ['sh', '-c', 'echo setup >> /v/log'], volumeMounts },
        ],
        containers: [
          {
            name: 'main',
            image: busybox,
            command: ['sh', '-c', `echo main >> /v/log; ${forever}`],
            volumeMounts,
          },
          {
            name: 'watcher',
            image: busybox,
            command: [
              'sh',
              '-c',
              `if [ -f /v/once ]; then ${forever}; fi; until grep -q main /v/log; do sleep 0.1; done; touch /v/once; exit 88`,
            ],
            volumeMounts,
            restartPolicy: 'Never',
            restartPolicyRules: [
              { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } },
            ],
          },
        ],
      },
    });
    await cloud.create(pods, namespace, pod);
    const again = await cloud.until(namespace, 'gang', 'begins anew', ({ status }) => {
      const [main, watcher] = status?.containerStatuses ?? [];
      const [setup] = status?.initContainerStatuses ?? [];
      const areAnew = [setup, main, watcher].every((one) => one?.restartCount === 1);
      return areAnew && watcher?.state?.running !== undefined;
    });
    assert.equal(again.status?.phase, 'Running');
    await cloud.execUntil(
      namespace,
      'gang',
      'cat /v/log',
      ({ stdout }) => stdout === 'setup\nmain\nsetup\nmain\n',
    );
  });

  test('rules that mean nothing are refused', async () => {
    const refused = async (container: object, words: RegExp): Promise<void> => {
      await assert.rejects(
        cloud.create(pods, namespace, shellPod('refused', forever, { container })),
        (error) => {
          assert.match(String(error), words);
          return true;
        },
      );
    };
    const exitCodes = { operator: 'In', values: [1] };
    await refused(
      { restartPolicyRules: [{ action: 'Restart', exitCodes }] },
      /restartPolicy: Required value: must specify restartPolicy when restart rules are used/,
    );
    const of = (rule: object) => ({ restartPolicy: 'Never', restartPolicyRules: [rule] });
    await refused(
      of({ action: 'Nap', exitCodes }),
      /action: Unsupported value: "Nap": supported values: "Restart", "RestartAllContainers"/,
    );
    await refused(of({ action: 'Restart' }), /exitCodes: Required value: must be specified/);
    await refused(
      of({ action: 'Restart', exitCodes: { operator: 'Equals' } }),
      /operator: Unsupported value: "Equals": supported values: "In", "NotIn"/,
    );
  });

  test('a container’s own policy stands before the pod’s', async () => {
    const pod = shellPod('own-policy', 'exit 1', { container: { restartPolicy: 'OnFailure' } });
    await cloud.create(pods, namespace, pod);
    const { status } = await cloud.until(
      namespace,
      'own-policy',
      'is restarted',
      (found) => (found.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0,
    );
    assert.notEqual(status?.phase, 'Failed');
  });
});
