/** The bucket of a deployment, as a port with conditional writes. It does not know the content of the objects. */
export { OBJECT_STORE, type ListedKey, type ObjectStore, type StoredText } from './object-store.js';
export { LATEST_FIRST_LENGTH, latestFirst, timeOf } from './latest-first.js';
export { parseRecord } from './record.js';
export { S3Adapter } from './s3.adapter.js';
export { StorageModule } from './storage.module.js';
export { connectionsPrefix, receiptsPrefix, userPrefix } from './user-prefix.js';
