// fbp-client.js ADDRESS SECRET: lets the npm package fbp-client (0.4.3, which checks every message against the FBP
// protocol's schemas) do what an IDE does with a board: list its components, build Timer -> ToggleBoolean -> Forward,
// run it, watch its data, stop it. Exit 0, or 1 with what went wrong. Run with NODE_PATH=$RIG/npm/node_modules.
'use strict';

const fbpClient = require('fbp-client');

const [address, secret] = process.argv.slice(2);
const OVERALL_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 3_000;
const INTERVAL_MS = 200;
const WANTED_PACKETS = 3;
const GRAPH = 'fbp-client-check';

function fail(err) {
  console.error(`fbp-client: ${err.message || err}`);
  process.exit(1);
}

// A runtime may put its components into a namespace.
function componentNamed(components, name) {
  const found = components.find((c) => c.name === name || c.name.endsWith(`/${name}`));
  if (!found) throw new Error(`no component ${name} among ${components.map((c) => c.name).join(', ')}`);
  return found.name;
}

async function buildGraph({ graph }, components) {
  await graph.clear({ id: GRAPH, name: GRAPH, main: true });
  for (const [id, name] of [['timer', 'Timer'], ['toggle', 'ToggleBoolean'], ['sink', 'Forward']]) {
    await graph.addnode({ graph: GRAPH, id, component: componentNamed(components, name), metadata: {} });
  }
  const edges = [
    { src: { node: 'timer', port: 'out' }, tgt: { node: 'toggle', port: 'in' } },
    { src: { node: 'toggle', port: 'out' }, tgt: { node: 'sink', port: 'in' } },
  ];
  for (const edge of edges) await graph.addedge({ graph: GRAPH, ...edge });
  await graph.addinitial({ graph: GRAPH, src: { data: INTERVAL_MS }, tgt: { node: 'timer', port: 'interval' } });
  return edges;
}

// Resolves with the first `count` packets; any error that the runtime sends rejects.
function packets(client, count) {
  const seen = [];
  return new Promise((resolve, reject) => {
    client.on('network', ({ command, payload }) => {
      if (command === 'error' || command === 'processerror') reject(new Error(payload.message || payload.error));
      if (command !== 'data' || seen.length >= count) return;
      seen.push(payload);
      console.log(`data: ${payload.src.node}.${payload.src.port} -> ${payload.tgt.node}.${payload.tgt.port}`
        + ` ${JSON.stringify(payload.data)}`);
      if (seen.length === count) resolve(seen);
    });
  });
}

async function main() {
  const client = await fbpClient(
    { address, secret, protocol: 'websocket' },
    { connectionTimeout: REQUEST_TIMEOUT_MS, commandTimeout: REQUEST_TIMEOUT_MS },
  );
  // Messages that break the protocol's schemas, or that no capability allows.
  client.on('protocolError', fail);
  const runtime = await client.connect();
  console.log(`runtime: ${runtime.type} ${runtime.id || ''} protocol ${runtime.version}`);

  const components = await client.protocol.component.list();
  console.log(`components: ${components.length}: ${components.slice(0, 5).map((c) => c.name).join(', ')}, ...`);

  const edges = await buildGraph(client.protocol, components);
  await client.protocol.network.edges({ graph: GRAPH, edges });
  const data = packets(client, WANTED_PACKETS);
  const { started } = await client.protocol.network.start({ graph: GRAPH });
  console.log(`started: ${started}`);
  await data;
  const stopped = await client.protocol.network.stop({ graph: GRAPH });
  console.log(`stopped: started ${stopped.started} running ${stopped.running}`);
  await client.disconnect();
}

if (!secret) {
  console.error('usage: fbp-client.js ADDRESS SECRET');
  process.exit(1);
}
setTimeout(() => fail(`not done within ${OVERALL_TIMEOUT_MS} ms`), OVERALL_TIMEOUT_MS).unref();
main().then(() => process.exit(0), fail);
