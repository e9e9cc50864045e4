import {
  INVALID_SPAN_CONTEXT,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Span,
} from '@opentelemetry/api';
import { AppError, errorFields } from '../errors/index.js';
import { NAMES } from './conventions.js';
import { telemetry } from './telemetry.js';
import { Work, workOf } from './work.js';

/** Attributes of a span or a measurement: names, numbers and codes of this application, and no text from outside. */
export type Attributes = Readonly<Record<string, string | number>>;

export interface SpanOptions {
  readonly kind?: 'client' | 'server';
  readonly attributes: Attributes;
}

const KINDS = { client: SpanKind.CLIENT, server: SpanKind.SERVER } as const;
const NOT_RECORDED = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** Begins a span as a child of the work's; undefined if nothing is recorded. Its caller ends it. */
export function beginSpan(name: string, { kind, attributes }: SpanOptions, parent: Work): Span | undefined {
  const tracer = telemetry()?.tracer;
  if (tracer === undefined) return undefined;
  const { span } = parent.place ?? {};
  const context = span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span);
  const options = { attributes, ...(kind !== undefined && { kind: KINDS[kind] }) };
  return parent.do(() => tracer.startSpan(name, options, context));
}

/** Begins a span of the present work. There is none for work that no request has caused, such as a timer's. */
export function beginChild(name: string, options: SpanOptions): Span | undefined {
  const { current } = Work;
  return current?.place?.span === undefined ? undefined : beginSpan(name, options, current);
}

/** Does some work within a span. If nothing is recorded, it only does the work. */
export async function traced<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = beginChild(name, options);
  if (span === undefined) return work(NOT_RECORDED);
  try {
    return await workOf(span).do(() => work(span));
  } catch (error) {
    markFailed(span, errorType(error));
    throw error;
  } finally {
    span.end();
  }
}

/** Marks what a span stands for as failed. */
export function markFailed(span: Span, type: string): void {
  span.setAttribute(NAMES.errorType, type).setStatus({ code: SpanStatusCode.ERROR });
}

/** The code of one of our errors, or the name of another. */
export function errorType(error: unknown): string {
  return error instanceof AppError ? error.code : errorFields(error).error;
}
