// Loaded ahead of a role: every address that the process connects to is appended to the file that RECORD_EGRESS names.
import { appendFileSync } from 'node:fs';
import { Socket } from 'node:net';

const connect = Socket.prototype.connect;
Socket.prototype.connect = function (...parameters) {
  const [{ host = 'localhost', port } = {}] = parameters.flat();
  appendFileSync(process.env['RECORD_EGRESS'], `${host}:${port}\n`);
  return connect.apply(this, parameters);
};
