/** Admission policies as people see them: written, refused, warned of and described by kubectl. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { clientBinary } from '../../../tools/kubectl.ts';
import { kubeconfigText } from '../../main/kubeconfig.ts';
import { startTestServer } from './test-server.ts';

const policy = (name: string, validation: string): string => `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: ${name} }
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - { apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments] }
  validations:
  - ${validation}
`;

const binding = (name: string, action: string): string => `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: ${name} }
spec:
  policyName: ${name}
  validationActions: [${action}]
  matchResources:
    namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: default } }
`;

test('kubectl writes policies, and shows what they refuse and warn of', async (t) => {
  const binary = clientBinary('kubectl');
  if (binary === undefined) {
    t.skip('no kubectl for this machine');
    return;
  }
  const server = await startTestServer(t);
  const folder = mkdtempSync(join(tmpdir(), 'caelum-kubectl-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigText(server.server.url, server.pki));
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder };
  const run = (...words: string[]): Promise<string> =>
    new Promise((resolve) => {
      execFile(binary, words, { env, timeout: 120_000, encoding: 'utf8' }, (_error, stdout, stderr) =>
        resolve(`${stdout}${stderr}`),
      );
    });
  const apply = (text: string): Promise<string> => {
    const file = join(folder, 'policy.yaml');
    writeFileSync(file, text);
    return run('apply', '-f', file);
  };
  assert.match(
    await apply(policy('bad', '{ expression: "object.spec.replicas <= " }')),
    /The ValidatingAdmissionPolicy "bad" is invalid: spec.validations\[0\].expression: Invalid value: "object.spec.replicas <= ": compilation failed: ERROR: <input>:1:25: Syntax error: mismatched input '<EOF>'/,
  );
  const made = await apply(
    policy('few', '{ expression: "object.spec.replicas <= 2" }') + binding('few', 'Deny'),
  );
  assert.match(
    made,
    /validatingadmissionpolicy.admissionregistration.k8s.io\/few created\n.*binding.*\/few created/,
  );
  await apply(
    policy('named', `{ expression: "object.metadata.name.startsWith('team-')", message: no team }`) +
      binding('named', 'Warn'),
  );
  assert.equal(
    await run('create', 'deployment', 'web', '--image=x', '--replicas=3'),
    `Warning: Validation failed for ValidatingAdmissionPolicy 'named' with binding 'named': no team\nerror: failed to create deployment: deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'few' with binding 'few' denied request: failed expression: object.spec.replicas <= 2\n`,
  );
  assert.match(
    await run('create', 'deployment', 'web', '--image=x', '--replicas=1'),
    /^deployment.apps\/web created\nWarning: /,
  );
  assert.match(await run('scale', 'deployment', 'web', '--replicas=5'), /deployment.apps\/web scaled/);
  assert.match(
    await run('set', 'image', 'deployment/web', 'x=y'),
    /The deployments "web" is invalid|denied request: failed expression: object.spec.replicas <= 2/,
  );
  assert.match(
    await run('get', 'validatingadmissionpolicies'),
    /^NAME +VALIDATIONS +PARAMKIND +AGE\nfew +1 +<unset> /,
  );
  assert.match(await run('describe', 'validatingadmissionpolicy', 'few'), /Observed Generation: +1/);
});
