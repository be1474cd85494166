/** Objects are shared by all who read them. Who changes one in memory changes it for everybody, and nothing tells. */
import type { Property } from '../../property.ts';

export const objectsAreNotChanged: Property = {
  name: 'store/objects-are-not-changed',
  source: 'the contract of store.ts: an object is shared, never change it',
  statement: 'What readers hold of an object stays what was written.',
  check({ truth }, broken) {
    let turn = 0;
    const look = (): void => {
      const resources = [...truth.resources()];
      const resource = resources[turn++ % Math.max(1, resources.length)];
      if (resource === undefined) return;
      for (const [name, object] of truth.objects(resource)) {
        const bytes = truth.bytes(resource, name);
        if (bytes !== undefined && !Buffer.from(JSON.stringify(object)).equals(bytes))
          broken(
            `${resource}/${name} was written as ${Buffer.from(bytes).toString()} and is now ${JSON.stringify(object)}`,
          );
      }
    };
    return {
      onSecond() {
        if (turn % 5 === 0) look();
        else turn++;
      },
      onRest() {
        for (let i = 0; i < 40; i++) look();
      },
    };
  },
};
