type Attempt = (effects: unknown, ok: unknown, nok: unknown) => unknown;

/** What micromark finds HTML by, in a form that finds none: a text with angle brackets stays a text. */
const none = {
  name: 'none',
  tokenize: ((_effects, _ok, nok) => nok) as Attempt,
};

export { none as htmlFlow, none as htmlText };
