export { GitHubToolsModule } from './github-tools.module.js';
