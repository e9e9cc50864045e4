type Attempt = (effects: unknown, ok: unknown, nok: unknown) => unknown;

/** A rule for HTML that never matches, for micromark: a text with angle brackets stays a text. */
const none = {
  name: 'none',
  tokenize: ((_effects, _ok, nok) => nok) as Attempt,
};

export { none as htmlFlow, none as htmlText };
