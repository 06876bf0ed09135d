// The original parser, for comparison: npm's fbp, found through NODE_PATH.
//
//   node npm-fbp.js < TEXTS      each line of TEXTS is JSON {"text", "caseSensitive"}; each line of the output is JSON
//                                {"graph"} or {"refused": why}
//   node npm-fbp.js DIRECTORY    for every .fbp file in it {"file", "kept", "lower"}: the graph with and without
//                                caseSensitive, null where it is refused
'use strict';

const fs = require('fs');
const path = require('path');
const readline = require('readline');
const vm = require('vm');

const file = path.join(path.dirname(require.resolve('fbp')), 'fbp.js');
const script = new vm.Script(fs.readFileSync(file, 'utf8'), { filename: file });

// Each text is parsed in objects of its own, as some texts make the parser change Object.prototype.
function parse(text, caseSensitive) {
  const context = vm.createContext({ module: {}, text, caseSensitive });
  script.runInContext(context);
  try {
    return { graph: JSON.parse(vm.runInContext('JSON.stringify(module.exports.parse(text, { caseSensitive }))', context)) };
  } catch (error) {
    return { refused: String(error.message) };
  }
}

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

if (process.argv[2]) {
  const directory = process.argv[2];
  for (const name of fs.readdirSync(directory).filter((name) => name.endsWith('.fbp')).sort()) {
    const text = fs.readFileSync(path.join(directory, name), 'utf8');
    const graph = (caseSensitive) => parse(text, caseSensitive).graph || null;
    say({ file: name, kept: graph(true), lower: graph(false) });
  }
} else {
  readline.createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', (line) => {
    const { text, caseSensitive } = JSON.parse(line);
    say(parse(text, caseSensitive));
  });
}
