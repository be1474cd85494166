/** All functions, by name; read when the first expression is compiled. */
import { type Overload, overloadOf } from '../function.ts';
import { authorizerFunctions } from './authorizer.ts';
import { formatFunctions } from './format.ts';
import { listFunctions } from './list.ts';
import { networkFunctions } from './network.ts';
import { operators } from './operator.ts';
import { quantityFunctions } from './quantity.ts';
import { regexFunctions } from './regex.ts';
import { semverFunctions } from './semver.ts';
import { setFunctions } from './set.ts';
import { standardFunctions } from './standard.ts';
import { textFunctions } from './text.ts';
import { urlFunctions } from './url.ts';

let byName: ReadonlyMap<string, readonly Overload[]> | undefined;

export function functions(): ReadonlyMap<string, readonly Overload[]> {
  byName ??= Map.groupBy(
    [
      ...operators,
      ...standardFunctions,
      ...textFunctions,
      ...listFunctions,
      ...setFunctions,
      ...regexFunctions,
      ...urlFunctions,
      ...quantityFunctions,
      ...networkFunctions,
      ...semverFunctions,
      ...formatFunctions,
      ...authorizerFunctions,
    ].map(overloadOf),
    ({ name }) => name,
  );
  return byName;
}
