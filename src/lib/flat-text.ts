/**
 * Texts in one piece. What was put together (`${a}-${b}`) or cut out (`slice`) is a tree of pieces to the engine and stays one: JSON.stringify takes up to
 * three times as long for an object that holds such a text anywhere (V8 14; `bench/object-shape.ts` shows it). Names, times and what else goes into many
 * objects is therefore made flat where it is made.
 */

/** Looking for a property of that name makes the engine keep the text in one piece, wherever else it is held. */
const nothing = Object.create(null) as Readonly<Record<string, undefined>>;
let found: undefined;

/** Shorter ones are never trees. */
const lengthMin = 13;
/** Longer ones are few, and dear as names. */
const lengthMax = 1024;

/** `text`, in one piece. */
export function flat(text: string): string {
  if (text.length >= lengthMin && text.length <= lengthMax) found = nothing[text];
  return found ?? text;
}
