/** The types of custom_metrics.v1beta2. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. */
import type { ObjectReference } from './core.v1.ts';
import type { LabelSelector, ListMeta } from './meta.v1.ts';

export interface MetricIdentifier {
  readonly name?: string;
  readonly selector?: LabelSelector;
}

export interface MetricListOptions {
  readonly labelSelector?: string;
  readonly metricLabelSelector?: string;
}

export interface MetricValue {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly describedObject?: ObjectReference;
  readonly metric?: MetricIdentifier;
  readonly timestamp?: string;
  readonly windowSeconds?: number;
  readonly value?: string;
}

export interface MetricValueList {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ListMeta;
  readonly items?: readonly MetricValue[];
}
