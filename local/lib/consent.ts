import type { HttpBrowser } from './http-browser.ts';

/**
 * Goes from our connect link to the address that the provider and AgentCore Identity redirect the browser to. This address is
 * not opened.
 * @param login the account at the provider, if the browser is not signed in there yet
 * @param action the button to press there
 */
export async function consentUpToBinding(
  browser: HttpBrowser,
  connectUrl: string,
  login: string,
  action = 'authorize',
): Promise<string> {
  let page = await browser.submitAndFollow(await browser.navigate(connectUrl));
  if (page.text.includes('name="login"')) page = await browser.submitAndFollow(page, { login });
  const back = await browser.submitAndFollow(page, { action }, (url) =>
    url.includes('/oauth2/session-binding'),
  );
  return back.url;
}
