import { Module } from '@nestjs/common';
import { GitHubClient } from './github.client.js';
import { GitHubTools } from './github.tools.js';

@Module({ providers: [GitHubClient, GitHubTools] })
export class GitHubToolsModule {}
