import { readFileSync } from 'node:fs';
import { parseDeployment, type Deployment } from './deployment.ts';

/** Reads the deployment that a file describes. When the file is not valid, it prints the faults and ends the process. */
export function readDeployment(file: string): Deployment {
  try {
    return parseDeployment(JSON.parse(readFileSync(file, 'utf8')), file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? `There is no file ${file}.` : `${file} cannot be read: ${message}`;
    process.stderr.write(`${message.startsWith(file) ? message : why}\n`);
    process.exit(1);
  }
}
