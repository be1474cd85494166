/** `GET /caelum/explain/pods/NAMESPACE/NAME`: what the scheduler decided about a pod, and why. For administrators. */
import type { ExtraPaths } from '../apiserver/index.ts';

const prefix = '/caelum/explain/pods/';

export function createExplainPaths(explain: (podKey: string) => unknown): ExtraPaths {
  return ({ path, method, response }) => {
    if (!path.startsWith(prefix) || method !== 'GET') return false;
    const body = JSON.stringify(explain(decodeURIComponent(path.slice(prefix.length))) ?? null);
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    return true;
  };
}
