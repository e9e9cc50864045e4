import type { HttpBrowser } from './http-browser.ts';

/**
 * From our connect link to the address that the provider and AgentCore Identity send the browser back to, which is not opened.
 * @param login the account at the provider, where the browser is not signed in there yet
 * @param action the button that is pressed there
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
