// `microflo generate` loads the native module `serialport`, which does not build on current Node, and does not use it.
const Module = require('module');
const load = Module._load;
Module._load = (request, ...rest) => (request === 'serialport' ? {} : load(request, ...rest));
