// library.js URL TOKEN USER: npm's flowhub-registry, as it is, against a registry. Prints a line for each step.
'use strict';

const assert = require('node:assert');
const { randomUUID } = require('node:crypto');
const { promisify } = require('node:util');
const registry = require('flowhub-registry');

const [host, token, user] = process.argv.slice(2);
const options = { host };

const call = (object, name, ...args) => promisify(object[name].bind(object))(...args);
const refused = async (status, promise) => {
  const error = await promise.then(() => null, (failed) => failed);
  assert.strictEqual(error && error.status, status);
};
const step = (text) => console.log(`ok ${text}`);

async function main() {
  const definition = {
    id: randomUUID(),
    label: 'Test runtime',
    description: 'of the library',
    user,
    protocol: 'websocket',
    address: 'ws://localhost:3569',
    type: 'microflo',
    secret: 'hello world',
    anything: { else: ['is', 'kept'] },
  };
  const runtime = new registry.Runtime({ ...definition }, options);
  const listed = async () => (await promisify(registry.list)(token, { ...options }))
    .filter((entry) => entry.runtime.id === definition.id);

  assert.deepStrictEqual(await listed(), []);
  await refused(404, call(runtime, 'ping'));
  await call(runtime, 'register');
  step('register');

  await call(runtime, 'get', token);
  for (const [key, value] of Object.entries(definition)) assert.deepStrictEqual(runtime.runtime[key], value, key);
  assert(runtime.runtime.registered.getTime() > 0 && runtime.runtime.seen.getTime() > 0);
  step('get');

  const seen = runtime.runtime.seen.getTime();
  await new Promise((resolve) => { setTimeout(resolve, 5); });
  await call(runtime, 'ping');
  await call(runtime, 'get', token);
  assert(runtime.runtime.seen.getTime() > seen);
  step('ping');

  const [entry] = await listed();
  assert.strictEqual(entry.runtime.address, definition.address);
  assert(entry.runtime.seen instanceof Date && !Number.isNaN(entry.runtime.seen.getTime()));
  step('list');

  runtime.runtime.address = 'ws://example.net:3569';
  await call(runtime, 'register');
  await call(runtime, 'get', token);
  assert.strictEqual(runtime.runtime.address, 'ws://example.net:3569');
  await call(entry, 'register', token);
  step('update');

  const stranger = new registry.Runtime({ ...definition, secret: 'guessed' }, options);
  await refused(403, call(stranger, 'register'));
  await call(stranger, 'register', token);
  await call(new registry.Runtime({ ...definition }, options), 'register', token);
  step('wrong secret');

  await refused(401, call(runtime, 'get', 'nobody'));
  await refused(401, call(runtime, 'del', 'nobody'));
  await refused(401, promisify(registry.list)('nobody', { ...options }));
  step('wrong token');

  await call(runtime, 'del', token);
  await refused(404, call(runtime, 'get', token));
  assert.deepStrictEqual(await listed(), []);
  step('delete');

  await call(runtime, 'del', token);
  step('delete again');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
