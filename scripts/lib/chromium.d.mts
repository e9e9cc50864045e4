/** The path of Chromium on this machine; undefined when there is none. CHROMIUM_PATH can give another path. */
export function findChromium(): string | undefined;
