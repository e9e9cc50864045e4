import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RequestsInFlight } from './requests-in-flight.js';

describe('RequestsInFlight', () => {
  let inFlight: RequestsInFlight;

  beforeEach(() => {
    jest.useFakeTimers();
    inFlight = new RequestsInFlight();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const request = (): EventEmitter => {
    const answer = new EventEmitter();
    inFlight.add(answer as unknown as ServerResponse);
    return answer;
  };
  const waiting = (): { isOver: boolean; readonly over: Promise<void> } => {
    const state = { isOver: false };
    const over = inFlight.beforeApplicationShutdown().then(() => {
      state.isOver = true;
    });
    return Object.assign(state, { over });
  };

  it('end the wait at once where there is none', async () => {
    inFlight.onModuleDestroy();
    await expect(inFlight.beforeApplicationShutdown()).resolves.toBeUndefined();
  });

  it('end the wait at once where all are answered', async () => {
    request().emit('close');
    inFlight.onModuleDestroy();
    request().emit('close');
    await expect(inFlight.beforeApplicationShutdown()).resolves.toBeUndefined();
  });

  it('are waited for until the last one is answered, also those that come later', async () => {
    const first = request();
    inFlight.onModuleDestroy();
    const state = waiting();
    const second = request();
    first.emit('close');
    await jest.advanceTimersByTimeAsync(0);
    expect(state.isOver).toBe(false);
    second.emit('close');
    await state.over;
    expect(state.isOver).toBe(true);
  });

  it('are waited for although there was none for a moment before the wait', async () => {
    inFlight.onModuleDestroy();
    request().emit('close');
    const later = request();
    const state = waiting();
    await jest.advanceTimersByTimeAsync(0);
    expect(state.isOver).toBe(false);
    later.emit('close');
    await state.over;
  });

  it('are waited for 20 s from the signal, and no longer', async () => {
    request();
    inFlight.onModuleDestroy();
    await jest.advanceTimersByTimeAsync(5_000);
    const state = waiting();
    await jest.advanceTimersByTimeAsync(14_999);
    expect(state.isOver).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    await state.over;
    expect(state.isOver).toBe(true);
  });
});
