import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { ERRORS, type ErrorCode } from '../errors/index.js';

type SchemaObject = Exclude<
  NonNullable<Parameters<typeof ApiResponse>[0]> extends infer O
    ? O extends { schema: infer S }
      ? S
      : never
    : never,
  undefined
>;

/**
 * Converts a zod schema to the form of OpenAPI 3.1, JSON Schema 2020-12. A part that has no JSON Schema becomes any value.
 */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'output'): SchemaObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest as SchemaObject;
}

const RETRY_AFTER = {
  'Retry-After': {
    description: 'After so many seconds another try makes sense',
    schema: { type: 'integer' },
  },
};

/** Documents the problem documents that a route may answer, one response for each status. */
export function ApiProblem(...codes: readonly ErrorCode[]): MethodDecorator {
  const statuses = [...new Set(codes.map((code) => ERRORS[code].status))];
  return applyDecorators(
    ...statuses.map((status) => {
      const ofStatus = codes.filter((code) => ERRORS[code].status === status);
      const examples = Object.fromEntries(ofStatus.map((code) => [code, { value: exampleOf(code) }]));
      return ApiResponse({
        status,
        description: ofStatus.map((code) => `\`${code}\`: ${ERRORS[code].detail}`).join('\n\n'),
        ...(ofStatus.some((code) => 'retryAfter' in ERRORS[code]) && { headers: RETRY_AFTER }),
        content: { 'application/problem+json': { schema: problemSchema(ofStatus), examples } },
      });
    }),
  );
}

function problemSchema(codes: readonly ErrorCode[]): SchemaObject {
  const text = { type: 'string' };
  return {
    type: 'object',
    required: ['type', 'title', 'status', 'code', 'detail', 'requestId'],
    properties: {
      type: text,
      title: text,
      status: { type: 'integer' },
      code: { type: 'string', enum: [...codes] },
      detail: text,
      requestId: text,
    },
  };
}

function exampleOf(code: ErrorCode): object {
  const { status, title, detail } = ERRORS[code];
  const requestId = '0b5f6f0e-6a53-4d0c-9a39-6f1d2f8f1c11';
  return { type: `urn:onbehalf:error:${code}`, title, status, code, detail, requestId };
}
