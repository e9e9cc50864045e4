import { Logger } from '@nestjs/common';

export interface LoggedLine {
  readonly level: 'log' | 'warn' | 'error';
  readonly context: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** From here on, what is logged goes into the list that this answers. */
export function recordedLog(): LoggedLine[] {
  const lines: LoggedLine[] = [];
  const at =
    (level: LoggedLine['level']) =>
    (fields: Readonly<Record<string, unknown>>, ...rest: readonly unknown[]): void => {
      // The context comes last; an error's stack would stand before it.
      lines.push({ level, context: String(rest.at(-1)), fields });
    };
  Logger.overrideLogger({ log: at('log'), warn: at('warn'), error: at('error') });
  return lines;
}
