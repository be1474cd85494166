/** A draft as the bytes that are stored and served: type information and metadata first, the revision inside. */
import type { DraftObject } from '../resource.ts';

export function encoder(draft: DraftObject): (revision: number) => Buffer {
  const { kind, apiVersion, metadata, ...rest } = draft;
  const object = { kind, apiVersion, metadata, ...rest };
  return (revision) => {
    metadata.resourceVersion = String(revision);
    return Buffer.from(JSON.stringify(object));
  };
}
