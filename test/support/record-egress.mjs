// Loaded before a role: appends every address that the process connects to to the file in RECORD_EGRESS.
import { appendFileSync } from 'node:fs';
import { Socket } from 'node:net';

const connect = Socket.prototype.connect;
Socket.prototype.connect = function (...parameters) {
  const [{ host = 'localhost', port } = {}] = parameters.flat();
  appendFileSync(process.env['RECORD_EGRESS'], `${host}:${port}\n`);
  return connect.apply(this, parameters);
};
