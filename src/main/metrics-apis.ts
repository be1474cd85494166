/**
 * Where autoscalers read their figures: of the server that an APIService names for a metrics API, or else what we gather ourselves.
 *
 * Another server is asked as Kubernetes' controller asks it, in the name of the service account that adapters grant their roles to.
 */
import type { ComputedApi, ComputedRequest } from '../api/index.ts';
import type { Api, ApiServer, Identity } from '../apiserver/index.ts';
import type { MetricsApis, MetricsQuestion } from '../controllers/index.ts';
import type { Observation } from '../observe/index.ts';

const account = 'system:serviceaccount:kube-system:horizontal-pod-autoscaler';
const identity: Identity = {
  user: account,
  groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
};

export function createMetricsApis(api: Api, server: ApiServer, observation: Observation): MetricsApis {
  return {
    async ask(group, versions, question) {
      for (const version of versions)
        if (server.isExtended(group, version))
          return server.askExtension(group, version, pathOf(group, version, question), identity);
      for (const version of versions) {
        const own = api.context.computed.find(group, version);
        if (own !== undefined) return answerOf(own, question);
      }
      return undefined;
    },
    ownUse: () => (server.isExtended('metrics.k8s.io', 'v1beta1') ? undefined : observation.use),
  };
}

async function answerOf(own: ComputedApi, question: MetricsQuestion): Promise<unknown> {
  const { parameters, ...place } = question;
  const verb: ComputedRequest['verb'] = question.name === '' ? 'list' : 'get';
  const answer = await own.answer({ ...place, verb, parameter: (name) => parameters[name] });
  return answer.kind === 'list' ? { items: answer.items } : answer.object;
}

export function pathOf(group: string, version: string, question: MetricsQuestion): string {
  const { namespace, resource, name, subresource, parameters } = question;
  const place = [...(namespace === '' ? [] : ['namespaces', namespace]), resource, name, subresource];
  const path = place
    .filter((part) => part !== '')
    .map((part) => (part === '*' ? part : encodeURIComponent(part)))
    .join('/');
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) if (value !== undefined) query.set(key, value);
  const text = query.toString();
  return `/apis/${group}/${version}/${path}${text === '' ? '' : `?${text}`}`;
}
