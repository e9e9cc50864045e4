import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

/** Whether this process accepts traffic: from the end of its start to the signal that ends it. */
@Injectable()
export class Readiness implements OnApplicationBootstrap, OnModuleDestroy {
  #ready = false;

  get ready(): boolean {
    return this.#ready;
  }

  onApplicationBootstrap(): void {
    this.#ready = true;
  }

  /** The first shutdown hook. A later hook waits for the requests in flight. */
  onModuleDestroy(): void {
    this.#ready = false;
  }
}
