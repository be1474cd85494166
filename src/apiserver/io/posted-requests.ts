/** Kinds that are only posted, and answered at once: reviews of identity and access, and bindings that name their pod. */
import { apiVersionOf, messageOf, postedKinds } from '../../api/index.ts';
import { decodeBody } from '../decode.ts';
import { negotiateObject } from '../media.ts';
import { createAtSubresource } from '../operations/subresources.ts';
import { answerReview, answerTokenReview } from '../reviews.ts';
import { sendAnswer, sendValue } from './answers.ts';
import { readBody } from './body.ts';
import { type Exchange, noSuchPath, notAllowed, validationOf, wantedOf, writeRequest } from './exchange.ts';

export async function servePosted(exchange: Exchange): Promise<void> {
  const { route, identity, http, response, identifyToken } = exchange;
  const virtual = postedKinds.find(
    (one) => one.group === route.group && one.version === route.version && one.resource === route.resource,
  );
  if (virtual === undefined || route.name !== '') throw noSuchPath();
  if (virtual.namespaced !== (route.namespace !== '')) throw noSuchPath();
  if (http.method !== 'POST') throw notAllowed();
  const wanted = { ...wantedOf(exchange), form: negotiateObject(http.headers.accept) };
  const apiVersion = apiVersionOf(virtual.group, virtual.version);
  const message = messageOf(virtual.message);
  const { object, warnings } = decodeBody(
    await readBody(http),
    { apiVersion, kind: virtual.kind, message },
    validationOf(exchange.query),
  );
  const pods = virtual.kind === 'Binding' ? exchange.context.resources.find('', 'v1', 'pods') : undefined;
  if (pods !== undefined) {
    const { name = '' } = object.metadata ?? {};
    const request = writeRequest(exchange);
    const bound = await createAtSubresource(exchange.context, pods, request, name, 'binding', object);
    return sendAnswer(response, undefined, bound, wanted, warnings);
  }
  const answer =
    virtual.kind === 'TokenReview'
      ? await answerTokenReview(apiVersion, object, identifyToken)
      : await answerReview(
          exchange.context.access,
          virtual.kind,
          apiVersion,
          identity,
          object,
          route.namespace,
        );
  return sendValue(response, 201, answer, wanted, warnings);
}
