/** How pods and reservations speak of each other. */

/** A pod names the reservation that it wants a place of; it goes nowhere else then. */
export const reservationAnnotation = 'scheduling.caelum.dev/reservation';
/** Which one it got a place of (its uid): written with its node. */
export const heldByAnnotation = 'scheduling.caelum.dev/held-by';
