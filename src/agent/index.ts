/** The agent: `POST /invocations`, and the runs behind it. Knows no provider. */
export { AgentModule } from './agent.module.js';
