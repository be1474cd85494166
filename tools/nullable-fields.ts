/** Scalar fields that tell "empty" from "absent" on the wire, by message. */
export const nullableFields: Readonly<Record<string, readonly string[]>> = {};
