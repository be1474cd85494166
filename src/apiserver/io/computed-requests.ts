/** Requests for what is made when asked for (`api/computed`): from HTTP to one question, and its answer in the form that the client likes. Loaded with the first. */
import {
  apiVersionOf,
  type ComputedAnswer,
  type ComputedApi,
  type ComputedRequest,
  type KubeObject,
  renderTable,
} from '../../api/index.ts';
import { parseBody } from '../decode.ts';
import { metadataView, sendValue, tableView, type Wanted } from './answers.ts';
import { readBody } from './body.ts';
import { type Exchange, notAllowed } from './exchange.ts';

const asked: readonly string[] = ['get', 'list', 'create'];

export async function serveComputed(
  exchange: Exchange,
  api: ComputedApi,
  verb: string,
  wanted: Wanted,
): Promise<void> {
  const { route, query, http, response } = exchange;
  if (!asked.includes(verb)) throw notAllowed();
  const { namespace, resource, name, subresource } = route;
  const answer = await api.answer({
    verb: verb as ComputedRequest['verb'],
    namespace,
    resource,
    name,
    subresource,
    parameter: (parameter) => query.text(parameter),
    ...(verb === 'create' ? { body: await bodyOf(http) } : {}),
  });
  await sendValue(response, verb === 'create' ? 201 : 200, viewOf(api, answer, wanted), wanted);
}

async function bodyOf(http: Exchange['http']): Promise<unknown> {
  const body = await readBody(http);
  return body.mediaType.startsWith('text/') ? body.bytes.toString('utf8') : parseBody(body);
}

function viewOf(api: ComputedApi, answer: ComputedAnswer, { form, nowMs, includeObject }: Wanted): object {
  const objects = answer.kind === 'list' ? answer.items : [answer.object];
  const { columns } = answer;
  if (form.view === 'table' && columns !== undefined) {
    const table = renderTable({ columns }, objects as readonly KubeObject[], { nowMs, includeObject });
    return tableView(table, form);
  }
  if (form.view === 'metadata' && columns !== undefined) {
    const views = objects.map((object) => metadataView(object as KubeObject, form));
    if (answer.kind === 'object') return views[0] ?? {};
    const apiVersion = `meta.k8s.io/${form.viewVersion}`;
    return { kind: 'PartialObjectMetadataList', apiVersion, metadata: {}, items: views };
  }
  if (answer.kind === 'object') return answer.object;
  const apiVersion = apiVersionOf(api.group, api.version);
  return { kind: answer.listKind, apiVersion, metadata: {}, items: answer.items };
}
