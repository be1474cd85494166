/** The door of the package: `import { Cloud } from 'caelum'`. */
export type { Client } from '../client/index.ts';
export { Cloud, type CloudOptions } from './cloud.ts';
