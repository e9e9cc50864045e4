import { tokenize } from 'sugar-high/core';
import * as css from 'sugar-high/lang/css';
import * as json from 'sugar-high/lang/json';
import * as python from 'sugar-high/lang/python';
import * as shell from 'sugar-high/lang/shell';
import * as typescript from 'sugar-high/lang/typescript';
import * as yaml from 'sugar-high/lang/yaml';

/** A piece of code, and the class that colours it. */
export interface Token {
  readonly kind: string;
  readonly text: string;
}

/** The names of sugar-high's token types, in their order. */
const KINDS = [
  'identifier',
  'keyword',
  'string',
  'class',
  'property',
  'entity',
  'jsxliterals',
  'sign',
  'comment',
];

type Options = NonNullable<Parameters<typeof tokenize>[1]>;

/** Code in another language is coloured like JavaScript, which fits most of them. */
const LANGUAGES: Readonly<Record<string, Options>> = {
  css,
  json,
  py: python,
  python,
  bash: shell,
  sh: shell,
  shell,
  ts: typescript,
  typescript,
  yaml,
  yml: yaml,
};

/** @param language as Markdown names it */
export function tokensOf(code: string, language: string | undefined): readonly Token[] {
  const name = language?.toLowerCase() ?? '';
  const options = Object.hasOwn(LANGUAGES, name) ? LANGUAGES[name] : undefined;
  return tokenize(code, options).map(([type, text]) => ({ kind: KINDS[type] ?? 'plain', text }));
}
