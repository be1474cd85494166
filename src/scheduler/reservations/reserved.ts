/** How pods and reservations speak of each other, and how places are told from pods. */
export { heldByAnnotation, reservationAnnotation } from '../../api/index.ts';

/** Of keys of places: no pod has such a key. */
export const placePrefix = 'reservation:';

export const isPlace = (podKey: string): boolean => podKey.startsWith(placePrefix);
