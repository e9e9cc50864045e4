import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

/** Whether this process wants traffic: from the end of its start to the signal that ends it. */
@Injectable()
export class Readiness implements OnApplicationBootstrap, OnModuleDestroy {
  #ready = false;

  get ready(): boolean {
    return this.#ready;
  }

  onApplicationBootstrap(): void {
    this.#ready = true;
  }

  /** The first of the shutdown hooks: runs are waited for in a later one. */
  onModuleDestroy(): void {
    this.#ready = false;
  }
}
