/** How the parts of a custom resource are owned in server-side apply: as its schema says of lists and maps. What no schema tells is owned field by field. */
import {
  type Json,
  messageOf,
  type OwnershipShape,
  shapeOfMessage,
  type structural,
} from '../../api/index.ts';

const whole: OwnershipShape = { kind: 'whole' };
const untold: OwnershipShape = { kind: 'object', shapeOf: () => untold };

/** Of the root, or of an embedded object. */
export function ownershipOf(place: structural.Place): OwnershipShape {
  const { schema, properties, additional, items } = place;
  if (schema['x-kubernetes-map-type'] === 'atomic') return whole;
  if (schema['x-kubernetes-int-or-string'] === true) return whole;
  if (items !== undefined || schema.type === 'array') return listOwnership(place);
  if (schema.type !== undefined && schema.type !== '' && schema.type !== 'object') return whole;
  const known = new Map<string, OwnershipShape>();
  const rest = additional === undefined ? untold : undefined;
  let others: OwnershipShape | undefined;
  return {
    kind: 'object',
    shapeOf(field) {
      const found = known.get(field);
      if (found !== undefined) return found;
      if (place.embeds && field === 'metadata')
        return remember(field, shapeOfMessage(messageOf('meta.v1.ObjectMeta')));
      const property = properties.get(field);
      if (property !== undefined) return remember(field, ownershipOf(property));
      others ??= rest ?? (additional === undefined ? untold : ownershipOf(additional));
      return others;
    },
  };
  function remember(field: string, shape: OwnershipShape): OwnershipShape {
    known.set(field, shape);
    return shape;
  }
}

function listOwnership({ schema, items }: structural.Place): OwnershipShape {
  const type = schema['x-kubernetes-list-type'];
  if (type === 'set') return { kind: 'set' };
  const keys = schema['x-kubernetes-list-map-keys'];
  if (type !== 'map' || keys === undefined || items === undefined) return whole;
  const defaults: Record<string, Json> = {};
  for (const key of keys) {
    const value = items.properties.get(key)?.defaultValue;
    if (value !== undefined) defaults[key] = value;
  }
  return { kind: 'list', keys, defaults, element: ownershipOf(items) };
}
