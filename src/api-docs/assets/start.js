/*
 * Starts Swagger UI, and helps with consents: it shows the connect link of an interrupt, and tells when the done page
 * says that the authorization is complete. The link is taken from the interrupt event alone, and only if it is ours.
 */
const notice = document.querySelector('#notice');

function connectLinks(text) {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .flatMap((line) => {
      const event = JSON.parse(line.slice(6));
      const interrupts = event.type === 'RUN_FINISHED' ? (event.outcome?.interrupts ?? []) : [];
      return interrupts
        .filter(({ reason }) => reason === 'authorization_required')
        .map(({ id, metadata }) => ({ id, ...metadata }));
    })
    .filter(({ connectUrl }) => {
      const url = new URL(connectUrl);
      return url.origin === location.origin && url.pathname === '/oauth2/connect';
    });
}

function show(text, links = []) {
  notice.replaceChildren(
    text,
    ...links.map(({ id, title, connectUrl }) => {
      const link = document.createElement('a');
      Object.assign(link, {
        href: connectUrl,
        target: '_blank',
        rel: 'noopener',
        textContent: title + ' (' + id + ')',
      });
      return link;
    }),
  );
  notice.hidden = text === '';
}

new BroadcastChannel('onbehalf').onmessage = ({ data }) => {
  if (data?.type === 'authorization_complete')
    show('Authorization is complete. Resume ' + data.interruptId + ' now.');
  if (data?.type === 'authorization_denied')
    show(
      'You did not authorize access. Decline ' +
        data.interruptId +
        ' with "cancelled", or resume it for a new link.',
    );
};

SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  responseInterceptor: (response) => {
    if (response.url.endsWith('/invocations')) {
      const links = response.status === 200 ? connectLinks(response.text) : [];
      show(links.length > 0 ? 'Your consent is needed. Open in a new tab: ' : '', links);
    }
    return response;
  },
});
