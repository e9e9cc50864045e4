import type { JSX } from 'preact';
import { tokenize } from 'sugar-high/core';
import * as css from 'sugar-high/lang/css';
import * as json from 'sugar-high/lang/json';
import * as python from 'sugar-high/lang/python';
import * as shell from 'sugar-high/lang/shell';
import * as typescript from 'sugar-high/lang/typescript';
import * as yaml from 'sugar-high/lang/yaml';
import { CopyButton } from './copy-button.tsx';

/** The classes of sugar-high's token types, in their order. */
const CLASSES = [
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

/** Code as it was written, with a button that copies it. */
export function CodeBlock({
  code,
  language,
}: {
  readonly code: string;
  readonly language: string | undefined;
}): JSX.Element {
  return (
    <div class="code">
      <div class="code-head">
        <span>{language ?? ''}</span>
        <CopyButton text={code} />
      </div>
      <pre tabIndex={0}>
        <code>
          {tokenize(code, configOf(language)).map(([type, text], key) => (
            <span key={key} class={`t-${CLASSES[type] ?? 'plain'}`}>
              {text}
            </span>
          ))}
        </code>
      </pre>
    </div>
  );
}

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

function configOf(name: string | undefined): Options | undefined {
  return name === undefined ? undefined : LANGUAGES[name.toLowerCase()];
}
