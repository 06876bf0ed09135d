// collection.js LIBRARY.json MAP.json: puts the library's components into its `collection` (`core/Repeat`), if it has one.
// A component's name is a C++ class to the generator; only the map can have another.
'use strict';

const fs = require('fs');

const [library, map] = process.argv.slice(2);
const { collection, components: listed } = JSON.parse(fs.readFileSync(library));
const content = JSON.parse(fs.readFileSync(map));
const inCollection = (name) => (collection && listed.includes(name) ? `${collection}/${name}` : name);
content.components = Object.fromEntries(Object.entries(content.components).map(([name, component]) =>
  [inCollection(name), { ...component, name: inCollection(name) }]));
fs.writeFileSync(map, JSON.stringify(content));
