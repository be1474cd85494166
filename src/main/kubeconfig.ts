/** An administrator's kubeconfig, in the form that every Kubernetes client reads. */
import type { KeyPair } from '../security/index.ts';

const encoded = (pem: string): string => Buffer.from(pem).toString('base64');

export function kubeconfigText(
  server: string,
  pki: { readonly ca: Pick<KeyPair, 'cert'>; readonly admin: KeyPair },
): string {
  return `apiVersion: v1
kind: Config
current-context: caelum
clusters:
- name: caelum
  cluster:
    server: ${server}
    certificate-authority-data: ${encoded(pki.ca.cert)}
users:
- name: caelum-admin
  user:
    client-certificate-data: ${encoded(pki.admin.cert)}
    client-key-data: ${encoded(pki.admin.key)}
contexts:
- name: caelum
  context:
    cluster: caelum
    user: caelum-admin
`;
}
