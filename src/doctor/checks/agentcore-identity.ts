import type { AgentRoleConfig } from '../../config/index.js';
import type { AgentCheck, CheckContext, SessionBindingCheck } from '../check.js';
import { ok, sh, wrong } from '../finding.js';

function commandFor(
  operation: 'create-workload-identity' | 'update-workload-identity',
  { config }: CheckContext<AgentRoleConfig>,
  returnUrls: readonly string[],
): string {
  const { region, workloadIdentityName: name } = config.identity;
  return sh`aws bedrock-agentcore-control ${operation} --region ${region} --name ${name} --allowed-resource-oauth2-return-urls ${returnUrls}`;
}

export const workloadIdentity: AgentCheck = {
  subject: 'workload identity',
  needs: [],
  run: async ({ config, aws }) => {
    await aws.workloadIdentity(config.identity.workloadIdentityName);
    return [ok(config.identity.workloadIdentityName)];
  },
  absent: (context) => {
    const { workloadIdentityName: name, region, sessionBindingUrl } = context.config.identity;
    return wrong(
      `there is no ${name} in ${region}`,
      commandFor('create-workload-identity', context, [sessionBindingUrl]),
    );
  },
};

/** Checks that the workload identity allows exactly the return URL of this deployment. */
export const returnUrls: AgentCheck = {
  subject: 'return URLs',
  needs: ['workload identity'],
  run: async (context) => {
    const { config, aws } = context;
    const allowed = (await aws.workloadIdentity(config.identity.workloadIdentityName)).returnUrls;
    const wanted = config.identity.sessionBindingUrl;
    if (allowed.includes(wanted)) return [ok(wanted)];
    return [
      wrong(
        `${wanted} is not among those of the workload identity (${allowed.join(', ') || 'none'})`,
        commandFor('update-workload-identity', context, [...allowed, wanted]),
      ),
    ];
  },
};

/**
 * Checks that this caller may complete an authorization. The bucket is the same for both roles, and the checks of the agent
 * role cover it.
 */
export const completion: SessionBindingCheck = {
  subject: 'completion',
  needs: [],
  run: async ({ aws }) => {
    await aws.completion();
    return [ok('permitted: AgentCore Identity rejects an unknown session, not the caller')];
  },
};
