import { StandardSchemaValidationPipe } from '@nestjs/common';
import { AppError, describeIssues } from '../errors/index.js';

/** Checks every parameter that names a schema: `@Body({ schema })`, `@Query({ schema })`, `@Param('id', { schema })`. */
export function schemaPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({
    exceptionFactory: (issues) =>
      new AppError('invalid_request', {
        reason: 'schema',
        detail: `The request does not fit: ${describeIssues(issues, 'it')}.`,
      }),
  });
}
