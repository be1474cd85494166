/** The door of the node's images: names, credentials, the store on disk and a fake one. */
export { createFakeImageStore, emptyConfig, type FakeImageStore } from './fake-image-store.ts';
export { formatName, hostRegistry, type ImageName, idOf, normalizeName, parseName } from './image-name.ts';
export type * from './images.ts';
export { type DiskImageStore, type ImageStoreOptions, openImageStore } from './io/image-store.ts';
export { parseDockerConfig } from './registry-credentials.ts';
