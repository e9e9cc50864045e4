import { matches, type AwsModel, type Shape, type ShapeOrName } from '../../local/lib/aws-model.ts';

/** Beginnings with which a text of the model's patterns can be made, by adding a letter or a digit. */
const BEGINNINGS = [
  '',
  'x:',
  'urn:ietf:params:oauth:request_uri:',
  's3://aaa/',
  'http://127.0.0.1:9/.well-known/openid-configuration',
  'http://127.0.0.1:9/.well-known/openid-configuration/',
  'client_secret_post',
  'arn:aws:kms:eu-central-1:111122223333:key/0d2f7c1a-4b6e-4c8d-9a10-5e3f2b1c0d9e',
  'arn:aws:secretsmanager:eu-central-1:111122223333:secret:',
  'arn:aws:vpc-lattice:eu-central-1:111122223333:resourceconfiguration/rcfg-',
  'arn:aws:bedrock:eu-central-1:111122223333:guardrail/',
  'arn:aws:bedrock:eu-central-1:111122223333:project/',
  'rcfg-',
  'vpc-',
  'subnet-',
  'sg-',
  'a.',
];
const FILLERS = ['a', '1'];
/** Texts that few patterns allow. */
const STRANGE = ['\u0001', ' ', '?', '/', 'é'];
const LONGEST_TRIED = 128;

type Text = Extract<Shape, { readonly type: 'string' }>;

/** A text of a length that satisfies the constraint, if one can be made. */
export function textOf(shape: Text, length: number): string | undefined {
  for (const beginning of BEGINNINGS) {
    if (beginning.length > length) continue;
    for (const filler of FILLERS) {
      const text = beginning + filler.repeat(length - beginning.length);
      if (shape.pattern === undefined || matches(shape.pattern, text)) return text;
    }
  }
  return undefined;
}

/** A text of a permitted length that the pattern does not allow, if there is one. */
export function strangeText({ pattern, min = 1 }: Text): string | undefined {
  if (pattern === undefined) return undefined;
  const length = Math.max(min, 1);
  return STRANGE.map((letter) => letter.repeat(length)).find((text) => !matches(pattern, text));
}

/** A small value of a shape: required members, and the first member of a union. */
export function minimal(model: AwsModel, given: ShapeOrName): unknown {
  const shape = model.shape(given);
  switch (shape.type) {
    case 'structure': {
      const names = Object.keys(shape.members);
      const wanted = shape.union === true ? names.slice(0, 1) : (shape.required ?? []);
      return Object.fromEntries(wanted.map((name) => [name, minimal(model, shape.members[name] ?? '')]));
    }
    case 'list':
      return Array.from({ length: shape.min ?? 0 }, () => minimal(model, shape.member));
    case 'map':
      return entries(model, shape, shape.min ?? 0);
    case 'string':
      return shape.enum?.[0] ?? shortest(shape);
    case 'blob':
      return new Uint8Array(shape.min ?? 0);
    case 'boolean':
      return true;
    default:
      return shape.min ?? 0;
  }
}

/** A map with a number of entries. */
export function entries(
  model: AwsModel,
  shape: Extract<Shape, { readonly type: 'map' }>,
  count: number,
): Readonly<Record<string, unknown>> {
  const key = model.shape(shape.key);
  const keys = Array.from({ length: count }, (_, index) =>
    key.type === 'string' ? `${shortest(key)}${String(index)}` : String(index),
  );
  return Object.fromEntries(keys.map((name) => [name, minimal(model, shape.value)]));
}

function shortest(shape: Text): string {
  const least = Math.max(shape.min ?? 1, 1);
  for (let length = least; length <= least + LONGEST_TRIED; length += 1) {
    const text = textOf(shape, length);
    if (text !== undefined) return text;
  }
  throw new TypeError(`no text was found for ${shape.pattern ?? ''}`);
}
