// For mocha: npm's fbp-spec runs SPECS, a directory of suites, against the runtime at ADDRESS with its SECRET.
// Run with NODE_PATH=$RIG/npm/node_modules and the mocha that fbp-spec brings.
'use strict';

const fbpSpec = require('fbp-spec');

const { ADDRESS, SECRET, SPECS } = process.env;

fbpSpec.mocha.run({ protocol: 'websocket', address: ADDRESS, secret: SECRET }, SPECS, {});
