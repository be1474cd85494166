/** Every property, one line each. */
import type { Property } from '../property.ts';

export const properties: readonly Property[] = [];
