/** The Chromium of this machine; undefined where there is none. CHROMIUM_PATH names one elsewhere. */
export function findChromium(): string | undefined;
