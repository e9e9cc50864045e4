import { Logger } from '@nestjs/common';

export interface LoggedLine {
  readonly level: 'log' | 'warn' | 'error';
  readonly context: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Redirects all later log entries into the returned list. */
export function recordedLog(): LoggedLine[] {
  const lines: LoggedLine[] = [];
  const at =
    (level: LoggedLine['level']) =>
    (fields: Readonly<Record<string, unknown>>, ...rest: readonly unknown[]): void => {
      // The context is the last parameter; an error's stack would come before it.
      lines.push({ level, context: String(rest.at(-1)), fields });
    };
  Logger.overrideLogger({ log: at('log'), warn: at('warn'), error: at('error') });
  return lines;
}
