/** The types of scheduling.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. */
import type { ListMeta, ObjectMeta } from './meta.v1.ts';

export interface PriorityClass {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly value?: number;
  readonly globalDefault?: boolean;
  readonly description?: string;
  readonly preemptionPolicy?: string;
}

export interface PriorityClassList {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ListMeta;
  readonly items: readonly PriorityClass[];
}
