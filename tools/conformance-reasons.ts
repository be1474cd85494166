/** Why nothing of ours covers a conformance test yet: the first pattern that fits its name. */
export const notYet: readonly (readonly [RegExp, string])[] = [
  [/Guestbook/, 'its images cannot be had here'],
  [/public image/, 'public images cannot be had here'],
  [/\[sig-architecture\]/, 'asks for two machines'],
  [/Pod InPlace Resize/, 'no test of ours with a real agent yet'],
];
