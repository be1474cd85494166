/**
 * What administrators may ask about decisions:
 *
 *   GET /caelum/explain/pods/NAMESPACE/NAME      what the scheduler decided about a pod, and why
 *   GET /caelum/explain/autoscalers/NAMESPACE/NAME   what an autoscaler decided of late, and on which figures
 *   GET /caelum/explain/elasticity/NAMESPACE/NAME    the same of an elasticity policy
 *   GET /caelum/explain/access/QUESTION          who lets somebody do something; the question is JSON, percent-encoded
 */
import type { Attributes, Explanation, ExtraPaths, Identity } from '../apiserver/index.ts';

const podPrefix = '/caelum/explain/pods/';
export const autoscalerPrefix = '/caelum/explain/autoscalers/';
export const elasticityPrefix = '/caelum/explain/elasticity/';
const accessPrefix = '/caelum/explain/access/';

export interface AccessQuestion {
  readonly identity: Identity;
  readonly asked: Attributes;
}

export interface Explainers {
  readonly pod: (podKey: string) => unknown;
  readonly autoscaler: (key: string) => unknown;
  readonly elasticity: (key: string) => unknown;
  readonly access: (identity: Identity, asked: Attributes) => Explanation;
}

export const accessPath = (question: AccessQuestion): string =>
  `${accessPrefix}${encodeURIComponent(JSON.stringify(question))}`;

export function createExplainPaths(explain: Explainers): ExtraPaths {
  return ({ path, method, response }) => {
    if (method !== 'GET') return false;
    let answer: unknown;
    if (path.startsWith(podPrefix))
      answer = explain.pod(decodeURIComponent(path.slice(podPrefix.length))) ?? null;
    else if (path.startsWith(autoscalerPrefix))
      answer = explain.autoscaler(decodeURIComponent(path.slice(autoscalerPrefix.length))) ?? null;
    else if (path.startsWith(elasticityPrefix))
      answer = explain.elasticity(decodeURIComponent(path.slice(elasticityPrefix.length))) ?? null;
    else if (path.startsWith(accessPrefix)) {
      const question = JSON.parse(decodeURIComponent(path.slice(accessPrefix.length))) as AccessQuestion;
      answer = explain.access(question.identity, question.asked);
    } else return false;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    return true;
  };
}
