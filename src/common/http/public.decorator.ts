import { SetMetadata, type CustomDecorator } from '@nestjs/common';

/** The metadata of a route that needs no sign-in. */
export const IS_PUBLIC = 'onbehalf:public';

/** Exempts a route from sign-in. It is for the load balancer's health checks; a test lists every route that has it. */
export const Public = (): CustomDecorator => SetMetadata(IS_PUBLIC, true);
