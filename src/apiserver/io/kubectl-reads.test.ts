/**
 * What kubectl reads and writes, command by command, on one server with an object of every kind: the newest kubectl, and an old and a middle one where
 * they are installed. Commands that do not wait for each other run side by side.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { clientBinary, installedKubectls, runs } from '../../../tools/kubectl.ts';
import { kubeconfigText } from '../../main/kubeconfig.ts';
import { allSamples, objectOf, pathOf, type Sample } from './test-kinds.ts';
import { startTestServer, type TestServer } from './test-server.ts';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Kubectl {
  readonly server: TestServer;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  run(words: string, env?: NodeJS.ProcessEnv): Promise<Outcome>;
  /** Must succeed; answers what it printed. */
  ok(words: string): Promise<string>;
  /** Commands side by side, each with what it must print. */
  all(rows: readonly (readonly [words: string, wanted: RegExp])[]): Promise<void>;
  file(name: string, text: string): string;
}

/** Words are split at blanks, but for what stands between `'`. */
const split = (words: string): string[] =>
  [...words.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ''));

const sideBySide = 4;

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) await work(items[next++] as T);
  };
  await Promise.all(Array.from({ length: sideBySide }, lane));
}

async function startKubectl(t: TestContext, binary: string): Promise<Kubectl> {
  const server = await startTestServer(t);
  const folder = mkdtempSync(join(tmpdir(), 'caelum-kubectl-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigText(server.server.url, server.pki));
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder };
  const run: Kubectl['run'] = (words, more = {}) =>
    new Promise((resolve) => {
      const options = {
        env: { ...env, ...more },
        timeout: 120_000,
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      } as const;
      execFile(binary, split(words), options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, stdout, stderr });
      });
    });
  const ok = async (words: string): Promise<string> => {
    const { code, stdout, stderr } = await run(words);
    assert.equal(code, 0, `kubectl ${words}\n${stdout}${stderr}`);
    return stdout;
  };
  return {
    server,
    folder,
    env,
    run,
    ok,
    all: (rows) =>
      inTurns(rows, async ([words, wanted]) => assert.match(await ok(words), wanted, `kubectl ${words}`)),
    file(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
  };
}

const nameOf = ({ name, kind }: Sample): string =>
  name?.(1) ?? `sample-${kind.version}-${kind.group.replaceAll('.', '-')}0`;
const typeOf = ({ kind }: Sample): string =>
  kind.group === '' ? kind.resource : `${kind.resource}.${kind.version}.${kind.group}`;

/** An object of every kind. */
async function furnish({ call }: TestServer): Promise<readonly Sample[]> {
  const samples = allSamples();
  for (const sample of samples) {
    const path = pathOf(sample, 'default');
    const made = await call('POST', path, {
      body: objectOf(sample, 1, { name: nameOf(sample), labels: { of: 'sample' } }),
    });
    assert.equal(made.status, 201, `${path}: ${made.text}`);
  }
  return samples;
}

const pod = (name: string, image = 'i'): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, labels: { run: ${name} } }\nspec: { containers: [{ name: c, image: ${image} }] }\n`;

async function readKinds(kubectl: Kubectl, samples: readonly Sample[], isNew: boolean): Promise<void> {
  const { ok, all } = kubectl;
  const resources = await ok('api-resources --no-headers');
  for (const { kind } of samples)
    assert.match(resources, new RegExp(`^${kind.resource} .*${kind.namespaced} +${kind.kind}$`, 'm'));
  const types = samples.map(typeOf).join();
  // Kinds that older ones describe by versions that are no longer served.
  const younger = new Set(['ipaddresses', 'servicecidrs', 'volumeattributesclasses']);
  const known = samples.filter(({ kind }) => isNew || !younger.has(kind.resource));
  const described = await ok(`describe ${known.map(typeOf).join()} -l of=sample`);
  for (const sample of known)
    assert.match(described, new RegExp(`^Name: +${nameOf(sample)}$`, 'm'), typeOf(sample));
  const names = await ok(`get ${types} -l of=sample -o name`);
  for (const sample of samples) assert.match(names, new RegExp(`/${nameOf(sample)}$`, 'm'), typeOf(sample));
  await all([
    [`get ${types} -l of=sample -o wide`, /NAME/],
    [`get ${types} -l of=sample -o yaml`, /^kind: List$/m],
    [`get ${types} -l of=sample --show-labels`, /of=sample/],
  ]);
  if (!isNew) return;
  // All are held against Kubernetes' own documents elsewhere: here it is kubectl that reads some of them.
  const some = samples.filter((_, index) => index % 6 === 0);
  await inTurns(some, async (sample) => {
    const { kind } = sample;
    const at = kind.group === '' ? '' : ` --api-version=${kind.group}/${kind.version}`;
    const explained = await ok(`explain ${kind.resource}${at} --recursive`);
    assert.match(explained, new RegExp(`KIND: +${kind.kind}\n`));
    assert.match(explained, /^ {2}metadata\t<ObjectMeta>/m, typeOf(sample));
  });
}

// conformance: [sig-cli] Kubectl client Kubectl api-versions should check if v1 is in available api versions
// conformance: [sig-cli] Kubectl client Kubectl version should check is all data is printed
// conformance: [sig-cli] Kubectl client Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info
async function readForms({ ok, all, run }: Kubectl): Promise<void> {
  for (const [name, n] of [
    ['b', 2],
    ['a', 3],
    ['c', 1],
  ] as const)
    await ok(`create configmap list-${name} --from-literal=size=${n}`);
  await ok('label configmap list-a list-b list-c list=yes');
  await all([
    ['api-versions', /^apps\/v1$[\s\S]*^v1$/m],
    ['version', /Client Version[\s\S]*Server Version/],
    ['version -o json', /"serverVersion"[\s\S]*"gitVersion": "v1\.36/],
    ['cluster-info', /control plane.* is running at .*https:\/\/127/],
    ['get configmap list-a -o json', /"size": "3"/],
    ['get configmap list-a -o yaml', /^ {2}size: "3"$/m],
    ['get configmap list-a -o name', /^configmap\/list-a$/m],
    ["get configmap list-a -o jsonpath='{.data.size}'", /^3$/],
    [
      "get configmaps -l list=yes -o jsonpath='{range .items[*]}{.metadata.name}={.data.size};{end}'",
      /^list-a=3;list-b=2;list-c=1;$/,
    ],
    ["get configmaps -l list=yes -o go-template='{{range .items}}{{.data.size}} {{end}}'", /^3 2 1 $/],
    [
      'get configmaps -l list=yes -o custom-columns=N:.metadata.name,V:.data.size',
      /^N +V\nlist-a +3\nlist-b +2\nlist-c +1$/m,
    ],
    ['get configmaps -l list=yes --sort-by=.data.size -o name', /list-c\n.*list-b\n.*list-a/],
    ['get configmaps -l list=yes --sort-by=.metadata.name --no-headers', /^list-a +1 /],
    ["get configmaps -l 'list in (yes),list!=no' -o name --chunk-size=1", /list-a\n.*list-b\n.*list-c/],
    ['get configmaps --field-selector=metadata.name=list-b -o name', /^configmap\/list-b\n$/],
    ['get configmaps --show-labels -L list', /LIST +LABELS\n[\s\S]*list-a .*yes +list=yes/],
    ['get configmaps,secrets -A --no-headers', /configmap\/list-a/],
    ['get configmap list-a --show-managed-fields -o yaml', /managedFields/],
    ['get --raw /api/v1/namespaces/default/configmaps/list-a', /^\{"kind":"ConfigMap"|"kind": ?"ConfigMap"/],
    ['get all', /service\/kubernetes/],
    ['config current-context', /\w/],
    ['config view --minify', /server: https:\/\/127/],
    ['config get-clusters', /NAME/],
    ['auth can-i list pods', /^yes$/m],
    ['auth can-i --list', /\*\.\* /],
  ]);
  assert.match(
    (await run('get configmap none')).stderr,
    /Error from server \(NotFound\): configmaps "none" not found/,
  );
  assert.equal(await ok('get configmap none --ignore-not-found'), '');
}

async function watchAndWait({ ok, run, all, file, env }: Kubectl, binary: string): Promise<void> {
  await ok(`create -f ${file('waited.yaml', pod('waited'))}`);
  const watching = spawn(binary, ['get', 'pod', 'waited', '--watch', '--output-watch-events'], {
    env,
  });
  let seen = '';
  const [begun, told] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  watching.stdout.on('data', (part: Buffer) => {
    seen += part.toString();
    if (seen.includes('ADDED')) begun.resolve();
    if (seen.includes('MODIFIED')) told.resolve();
  });
  const ready = run('wait pod/waited --for=condition=Ready --timeout=60s');
  const phase = run("wait pod/waited --for=jsonpath='{.status.phase}'=Running --timeout=60s");
  const status = '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}';
  // Who watches has to know what was, to be told what changes.
  await begun.promise;
  await ok(`patch pod waited --subresource=status --type=merge -p '${status}'`);
  for (const { code, stderr } of await Promise.all([ready, phase])) assert.equal(code, 0, stderr);
  await told.promise;
  watching.kill();
  assert.match(seen, /ADDED[\s\S]*MODIFIED/);
  await all([['wait pod/waited --for=condition=Ready=true --timeout=60s', /condition met/]]);
  assert.match(
    (await run('wait pod/waited --for=condition=Other --timeout=1s')).stderr,
    /timed out waiting for the condition/,
  );
  const gone = run('wait pod/waited --for=delete --timeout=60s');
  await ok('delete pod waited --wait=false');
  assert.equal((await gone).code, 0);
}

// conformance: [sig-cli] Kubectl client Kubectl label should update the label on a resource
// conformance: [sig-cli] Kubectl client Kubectl replace should update a single-container pod's image
// conformance: [sig-cli] Kubectl client Kubectl run pod should create a pod from an image when restart is Never
// conformance: [sig-cli] Kubectl client Kubectl server-side dry-run should check if kubectl can dry-run update Pods
async function write({ ok, run, file, folder }: Kubectl): Promise<void> {
  await ok('run single --image=one --restart=Never');
  const image = () => ok("get pod single -o jsonpath='{.spec.restartPolicy} {.spec.containers[0].image}'");
  assert.equal(await image(), 'Never one');
  const merged = `{"spec":{"containers":[{"name":"single","image":"two"}]}}`;
  assert.match(await ok(`patch pod single -p '${merged}' --dry-run=server`), /patched/);
  assert.equal(await image(), 'Never one');
  await ok('label pod single testing-label=value');
  assert.match(await ok('get pod single -L testing-label'), /value/);
  assert.equal(await ok('get pods -l testing-label=value -o name'), 'pod/single\n');
  await ok('label pod single testing-label-');
  assert.equal(await ok('get pods -l testing-label -o name'), '');
  await ok('annotate pod single note=x');
  assert.match((await run('annotate pod single note=y')).stderr, /already has a value|overwrite/);
  await ok('annotate pod single note=y --overwrite');
  const json = (await ok('get pod single -o json')).replace('"image": "one"', '"image": "three"');
  assert.match(await ok(`replace -f ${file('single.json', json)}`), /replaced/);
  assert.equal(await image(), 'Never three');
  const other = file('other.yaml', pod('single', 'four'));
  assert.match(await ok(`replace --force --grace-period=0 -f ${other}`), /deleted[\s\S]*replaced/);
  assert.equal(await image(), 'Always four');
  await ok(`patch pod single -p '{"metadata":{"annotations":{"s":"1"}}}'`);
  await ok(`patch pod single --type=merge -p '{"metadata":{"annotations":{"m":"1"}}}'`);
  await ok(`patch pod single --type=json -p '[{"op":"add","path":"/metadata/annotations/j","value":"1"}]'`);
  assert.match(
    await ok("get pod single -o jsonpath='{.metadata.annotations}'"),
    /"j":"1",.*"m":"1",.*"s":"1"/,
  );
  const editor = file('editor.sh', '#!/bin/sh\nsed -i "s/image: four/image: five/" "$1"\n');
  chmodSync(editor, 0o755);
  const edited = await run('edit pod single', { KUBE_EDITOR: editor, EDITOR: editor });
  assert.match(edited.stdout, /edited/, edited.stderr);
  assert.equal(await image(), 'Always five');
  assert.match(await ok('delete pod single --now'), /deleted/);
  assert.ok(readFileSync(join(folder, 'kubeconfig')).length > 0);
}

// conformance: [sig-cli] Kubectl client Kubectl diff should check if kubectl diff finds a difference for Deployments
async function differ({ ok, run, file }: Kubectl): Promise<void> {
  await ok('create deployment differs --image=agnhost');
  const text = (await ok('get deployment differs -o yaml')).replace('image: agnhost', 'image: busybox');
  const diff = await run(`diff -f ${file('differs.yaml', text)}`);
  assert.equal(diff.code, 1, diff.stderr);
  assert.match(diff.stdout, /^-.*image: agnhost$/m);
  assert.match(diff.stdout, /^\+.*image: busybox$/m);
  const applied = file(
    'applied.yaml',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: pruned, labels: { set: a } }\n',
  );
  await ok(`apply -f ${applied} -l set=a`);
  const kept = file(
    'kept.yaml',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: kept, labels: { set: a } }\n',
  );
  assert.match(
    await ok(`apply -f ${kept} --prune -l set=a --prune-allowlist=core/v1/ConfigMap`),
    /configmap\/pruned pruned/,
  );
  assert.match(await ok(`apply view-last-applied -f ${kept}`), /name: kept/);
}

async function generate({ all, ok, file }: Kubectl): Promise<void> {
  const key = file('word.txt', 'x');
  await all([
    ['create namespace made', /created/],
    ['create serviceaccount made', /created/],
    ['create secret generic made --from-literal=a=b', /created/],
    [`create configmap made --from-file=${key}`, /created/],
    ['create role made --verb=get --resource=pods', /created/],
    ['create clusterrole made --verb=get --resource=nodes', /created/],
    ['create rolebinding made --role=made --user=u', /created/],
    ['create clusterrolebinding made --clusterrole=made --group=g', /created/],
    ['create service clusterip made --tcp=80', /created/],
    ['create service nodeport made-out --tcp=80', /created/],
    ['create deployment made --image=i --replicas=2', /created/],
    ['create job made --image=i', /created/],
    ["create cronjob made --image=i --schedule='0 0 * * *'", /created/],
    ["create ingress made --rule='h.example.com/*=made:80'", /created/],
    ['create quota made --hard=pods=99', /created/],
    ['create poddisruptionbudget made --selector=a=b --min-available=1', /created/],
    ['create priorityclass made --value=5', /created/],
  ]);
  assert.match(await ok('create token made'), /^ey/);
  await all([
    ['expose deployment made --port=80 --name=exposed', /exposed/],
    ['autoscale deployment made --max=3 --cpu-percent=50', /autoscaled/],
    ['set env deployment/made A=b', /updated/],
    ['set resources deployment/made --limits=cpu=1', /updated/],
  ]);
  assert.match(await ok('events'), /LAST SEEN|No events/);
}

async function certify({ ok, all, file }: Kubectl, samples: readonly Sample[]): Promise<void> {
  const sample = samples.find(({ kind }) => kind.kind === 'CertificateSigningRequest');
  assert.ok(sample !== undefined);
  for (const name of ['yes', 'no'])
    await ok(`create -f ${file(`${name}.json`, JSON.stringify(objectOf(sample, 1, { name })))}`);
  await all([
    ['certificate approve yes', /approved/],
    ['certificate deny no', /denied/],
  ]);
  assert.match(await ok('get csr'), /^no .*Denied$[\s\S]*^yes .*Approved/m);
}

// conformance: [sig-cli] Kubectl client Proxy server should support proxy with --port 0
// conformance: [sig-cli] Kubectl client Proxy server should support --unix-socket=/path
async function proxy({ env, folder }: Kubectl, binary: string): Promise<void> {
  const socket = join(folder, 'proxy.sock');
  for (const word of ['--port=0', `--unix-socket=${socket}`]) {
    const running = spawn(binary, ['proxy', word, '--disable-filter'], { env });
    try {
      const line = await new Promise<string>((resolve, reject) => {
        let text = '';
        running.once('error', reject);
        running.once('exit', () => reject(new Error(text)));
        running.stdout.on('data', (part: Buffer) => {
          text += part.toString();
          if (text.includes('\n')) resolve(text);
        });
      });
      const port = Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
      const where = word.startsWith('--unix') ? { socketPath: socket } : { port, host: '127.0.0.1' };
      const body = await new Promise<string>((resolve, reject) => {
        request({ ...where, path: '/api/', agent: false }, (response) => {
          let text = '';
          response.on('data', (part: Buffer) => {
            text += part.toString();
          });
          response.once('end', () => resolve(text));
        })
          .once('error', reject)
          .end();
      });
      assert.ok((JSON.parse(body) as { versions: string[] }).versions.length > 0, body);
    } finally {
      running.kill();
    }
  }
}

async function dump({ ok }: Kubectl): Promise<void> {
  const text = await ok('cluster-info dump --namespaces=default');
  for (const kind of ['NodeList', 'EventList', 'ServiceList', 'DeploymentList', 'PodList', 'ReplicaSetList'])
    assert.match(text, new RegExp(`"kind": "${kind}"`), kind);
}

const installed = installedKubectls();
const newest = clientBinary('kubectl');
const binaries = [
  { version: '1.36', path: newest },
  ...[installed[0], installed.at(-1)].flatMap((one) => (one !== undefined && runs(one.path) ? [one] : [])),
];

for (const { version, path } of binaries) {
  const isNew = version === '1.36';
  const skip = path === undefined ? 'kubectl is not here' : false;
  test(`kubectl ${version} reads and writes, command by command`, { skip, timeout: 240_000 }, async (t) => {
    const binary = path ?? '';
    const kubectl = await startKubectl(t, binary);
    const samples = await furnish(kubectl.server);
    await t.test('every kind: api-resources, describe, get, explain', () =>
      readKinds(kubectl, samples, isNew),
    );
    await t.test('all output forms, sorting, selectors', () => readForms(kubectl));
    if (!isNew) return;
    await t.test('label, annotate, patch, replace, edit, run, delete', () => write(kubectl));
    await t.test('watch and wait', () => watchAndWait(kubectl, binary));
    await t.test('diff, prune', () => differ(kubectl));
    await t.test('create, expose, autoscale, set', () => generate(kubectl));
    await t.test('certificate', () => certify(kubectl, samples));
    await t.test('proxy', () => proxy(kubectl, binary));
    await t.test('cluster-info dump', () => dump(kubectl));
  });
}
