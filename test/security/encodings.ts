const ALIGNMENTS = [0, 1, 2];
/** The minimum length, because shorter texts would be found by chance. */
const SHORTEST = 8;

/** The forms in which a secret might appear: unchanged, base64 at any offset of a text, hex, URL-encoded, as JSON. */
export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const inBase64 = ALIGNMENTS.flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    // The first and the last characters depend on the text beside the secret.
    const core = encoded.slice(offset === 0 ? 0 : 4, -4).replace(/=+$/, '');
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const hex = bytes.toString('hex');
  const percent = encodeURIComponent(secret);
  const all = [
    secret,
    ...inBase64,
    hex,
    hex.toUpperCase(),
    percent,
    percent.toLowerCase(),
    JSON.stringify(secret).slice(1, -1),
  ];
  return [...new Set(all)].filter((form) => form.length >= SHORTEST);
}

const PREFIX = SHORTEST;

/** Searches a long text for many texts in one pass. */
export class Needles {
  readonly #byPrefix = new Map<string, { readonly form: string; readonly secret: string }[]>();

  add(secret: string): void {
    for (const form of formsOf(secret)) {
      const prefix = form.slice(0, PREFIX);
      this.#byPrefix.set(prefix, [...(this.#byPrefix.get(prefix) ?? []), { form, secret }]);
    }
  }

  /** Returns the secrets that a text contains in any form. */
  foundIn(text: string): ReadonlySet<string> {
    const found = new Set<string>();
    for (let at = 0; at <= text.length - PREFIX; at += 1) {
      for (const { form, secret } of this.#byPrefix.get(text.slice(at, at + PREFIX)) ?? []) {
        if (text.startsWith(form, at)) found.add(secret);
      }
    }
    return found;
  }
}
