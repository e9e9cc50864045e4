import { Module, type DynamicModule } from '@nestjs/common';
import type { ProviderConfig } from '../config/index.js';
import { ProviderApi } from './provider-api.js';
import { OfferedProvider, type Provider } from './provider.js';

/** One provider: its tools, and the client of its API that they share. */
@Module({})
export class ProviderModule {
  /**
   * The module of one provider.
   * @param config the name of its credential provider, the address of its API, and the deadline of a call
   */
  static forProvider(provider: Provider, config: ProviderConfig): DynamicModule {
    const api = new ProviderApi(provider, config);
    return {
      module: ProviderModule,
      providers: [
        { provide: ProviderApi, useValue: api },
        { provide: OfferedProvider, useValue: new OfferedProvider(provider, config, api) },
        ...provider.tools,
      ],
    };
  }
}
