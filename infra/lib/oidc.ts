import type { Deployment } from './deployment.ts';

export interface OidcEndpoints {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly userInfoEndpoint: string;
}

/** The endpoints of a sign-in, with the names of the provider's discovery document. */
export function oidcEndpoints({ oidc: { provider } }: Pick<Deployment, 'oidc'>): OidcEndpoints {
  switch (provider.kind) {
    case 'entra': {
      const base = `https://login.microsoftonline.com/${provider.tenantId}`;
      return {
        issuer: `${base}/v2.0`,
        authorizationEndpoint: `${base}/oauth2/v2.0/authorize`,
        tokenEndpoint: `${base}/oauth2/v2.0/token`,
        userInfoEndpoint: 'https://graph.microsoft.com/oidc/userinfo',
      };
    }
    case 'cognito': {
      const base = `https://${provider.domain}/oauth2`;
      const [poolRegion = ''] = provider.userPoolId.split('_');
      return {
        issuer: `https://cognito-idp.${poolRegion}.amazonaws.com/${provider.userPoolId}`,
        authorizationEndpoint: `${base}/authorize`,
        tokenEndpoint: `${base}/token`,
        userInfoEndpoint: `${base}/userInfo`,
      };
    }
    case 'okta': {
      const issuer = `https://${provider.domain}/oauth2/${provider.authorizationServer}`;
      return {
        issuer,
        authorizationEndpoint: `${issuer}/v1/authorize`,
        tokenEndpoint: `${issuer}/v1/token`,
        userInfoEndpoint: `${issuer}/v1/userinfo`,
      };
    }
    case 'custom': {
      const { kind: _, ...endpoints } = provider;
      return endpoints;
    }
  }
}

/** The address at which the identity provider ends its session; undefined when it is not known. */
export function signOutUrl({ oidc, domain }: Pick<Deployment, 'oidc' | 'domain'>): string | undefined {
  const { provider, clientId: client } = oidc;
  if (oidc.signOutUrl !== undefined) return oidc.signOutUrl;
  switch (provider.kind) {
    case 'entra':
      return `https://login.microsoftonline.com/${provider.tenantId}/oauth2/v2.0/logout`;
    case 'cognito': {
      // Cognito redirects only to an address that is registered as a sign-out URL of the client.
      const parameters = new URLSearchParams({ client_id: client, logout_uri: `https://${domain.name}/` });
      return `https://${provider.domain}/logout?${parameters.toString()}`;
    }
    case 'okta':
      return `https://${provider.domain}/login/signout`;
    case 'custom':
      return undefined;
  }
}
