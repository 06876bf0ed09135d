// Where everything in the picture of a graph goes. No element is made here; sizes are in pixels.

const CHAR = 8;
const SMALL_CHAR = 6.4;
const HEAD = 40;
const ROW = 18;
const LEAST_WIDTH = 92;
const MOST_NAME_CHARS = 22;
const CHIP_CHARS = 10;
const CHIP_HEIGHT = 17;
const GAP = 64;
const NODE_GAP = 26;
const MARGIN = 14;
/** From this height on an edge may lead to the left as an S. */
const STEEP = 60;
/** How often the order in the layers, and the heights, are improved. */
const SWEEPS = 6;

/** Lays out a graph in FBP's JSON format. */
export function layout(graph) {
  const nodes = makeNodes(graph);
  const edges = makeEdges(graph, nodes);
  const chips = makeChips(graph, nodes);
  nodes.forEach(measure);
  const placed = [...nodes.values()];
  const isPlaced = placeByMetadata(placed);
  if (!isPlaced) placeInLayers(placed, edges);
  for (const chip of chips) placeChip(chip, edges);
  for (const edge of edges) [edge.from, edge.to] = [portAt(edge.src, edge.out, true), portAt(edge.tgt, edge.in, false)];
  const bottom = Math.max(...placed.map((node) => node.y + node.height));
  routeBackEdges(edges, bottom, isPlaced);
  return frame(placed, edges, chips);
}

function makeNodes(graph) {
  const nodes = new Map();
  for (const [name, { component, metadata }] of Object.entries(graph.processes ?? {})) {
    nodes.set(name, { name, component, metadata: metadata ?? {}, ins: [], outs: [], chipWidth: 0 });
  }
  return nodes;
}

function port(list, name) {
  const key = name.toLowerCase();
  if (!list.includes(key)) list.push(key);
  return key;
}

function makeEdges(graph, nodes) {
  const edges = [];
  for (const { src, tgt } of graph.connections ?? []) {
    const [from, to] = [src && nodes.get(src.process), nodes.get(tgt.process)];
    if (from && to) edges.push({ src: from, tgt: to, out: port(from.outs, src.port), in: port(to.ins, tgt.port) });
  }
  return edges;
}

/** Initial packets and exported ports, as small labels beside their port. */
function makeChips(graph, nodes) {
  const chips = [];
  const add = (name, portName, kind, text) => {
    const node = nodes.get(name);
    if (!node) return;
    const isOut = kind === "out";
    const width = Math.min(text.length, CHIP_CHARS) * SMALL_CHAR + 14;
    chips.push({ node, port: port(isOut ? node.outs : node.ins, portName), kind, text, width, chars: CHIP_CHARS });
    node.chipWidth = Math.max(node.chipWidth, width);
  };
  for (const { src, tgt, data } of graph.connections ?? []) {
    if (!src) add(tgt.process, tgt.port, "initial", typeof data === "string" ? data : JSON.stringify(data));
  }
  for (const [name, exported] of Object.entries(graph.inports ?? {})) add(exported.process, exported.port, "in", name);
  for (const [name, exported] of Object.entries(graph.outports ?? {})) add(exported.process, exported.port, "out", name);
  return chips;
}

function measure(node) {
  const chars = (text) => Math.min(text.length, MOST_NAME_CHARS);
  const longest = (ports) => Math.max(0, ...ports.map((name) => Math.min(name.length, 12))) * SMALL_CHAR;
  const title = Math.max(chars(node.name) * CHAR, chars(node.component) * SMALL_CHAR) + 24;
  node.width = Math.max(LEAST_WIDTH, title, longest(node.ins) + longest(node.outs) + 34);
  node.height = HEAD + Math.max(1, node.ins.length, node.outs.length) * ROW + 6;
}

function portY(node, name, isOut) {
  return HEAD + (isOut ? node.outs : node.ins).indexOf(name) * ROW + ROW / 2 + 2;
}

function portAt(node, name, isOut) {
  return { x: node.x + (isOut ? node.width : 0), y: node.y + portY(node, name, isOut) };
}

/** Uses the places that somebody gave the nodes in an editor, spread until no two overlap. */
function placeByMetadata(nodes) {
  const has = ({ metadata: { x, y } }) => Number.isFinite(x) && Number.isFinite(y);
  if (!nodes.every(has)) return false;
  for (let scale = 1; scale <= 4; scale += 0.25) {
    for (const node of nodes) [node.x, node.y] = [node.metadata.x * scale, node.metadata.y * scale];
    if (!nodes.some((a, at) => nodes.slice(at + 1).some((b) => overlap(a, b)))) return true;
  }
  return false;
}

function overlap(a, b) {
  const beside = (from, length, other, otherLength, gap) => from + length + gap <= other || other + otherLength + gap <= from;
  return !beside(a.x, a.width, b.x, b.width, GAP / 2) && !beside(a.y, a.height, b.y, b.height, NODE_GAP / 2);
}

/** The usual picture: flow from left to right, in columns. */
function placeInLayers(nodes, edges) {
  markBackEdges(nodes, edges);
  const forward = edges.filter((edge) => !edge.back);
  const layers = [];
  for (const node of assignLayers(nodes, forward)) (layers[node.layer] ??= []).push(node);
  let x = 0;
  for (const [at, layer] of layers.entries()) {
    const chips = Math.max(...layer.map((node) => node.chipWidth));
    if (at > 0 || chips > 0) x += chips > 0 ? chips + 30 : 0;
    layer.forEach((node) => (node.x = x));
    x += Math.max(...layer.map((node) => node.width)) + GAP;
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    const order = down ? layers : [...layers].reverse();
    for (const layer of order) arrange(layer, forward, sweep === 0 ? null : down);
  }
}

/** Edges that close a circle. */
function markBackEdges(nodes, edges) {
  const state = new Map();
  const visit = (node) => {
    state.set(node, "open");
    for (const edge of edges.filter((edge) => edge.src === node)) {
      if (state.get(edge.tgt) === "open") edge.back = true;
      else if (!state.has(edge.tgt)) visit(edge.tgt);
    }
    state.set(node, "done");
  };
  const entered = new Set(edges.map((edge) => edge.tgt));
  for (const node of [...nodes.filter((node) => !entered.has(node)), ...nodes]) if (!state.has(node)) visit(node);
}

/** Each node right of all that lead to it. */
function assignLayers(nodes, edges) {
  const depth = (node) => {
    if (node.layer === undefined) {
      const before = edges.filter((edge) => edge.tgt === node).map((edge) => depth(edge.src) + 1);
      node.layer = Math.max(0, ...before);
    }
    return node.layer;
  };
  nodes.forEach(depth);
  return nodes;
}

/** Brings the nodes of a column near to what they are connected with on one side; `null`: as they come. */
function arrange(layer, edges, fromLeft) {
  const wish = (node) => {
    const near = edges.filter((edge) => (fromLeft ? edge.tgt : edge.src) === node);
    if (fromLeft === null || near.length === 0) return node.y ?? 0;
    const pull = (edge) =>
      fromLeft
        ? edge.src.y + portY(edge.src, edge.out, true) - portY(node, edge.in, false)
        : edge.tgt.y + portY(edge.tgt, edge.in, false) - portY(node, edge.out, true);
    return near.reduce((sum, edge) => sum + pull(edge), 0) / near.length;
  };
  const wishes = new Map(layer.map((node) => [node, wish(node)]));
  layer.sort((a, b) => wishes.get(a) - wishes.get(b));
  let y = -Infinity;
  for (const node of layer) {
    node.y = Math.max(wishes.get(node), y);
    y = node.y + node.height + NODE_GAP;
  }
  const drift = layer.reduce((sum, node) => sum + node.y - wishes.get(node), 0) / layer.length;
  for (const node of layer) node.y -= drift;
}

function placeChip(chip, edges) {
  const at = portAt(chip.node, chip.port, chip.kind === "out");
  chip.x = chip.kind === "out" ? at.x + 14 : at.x - 14 - chip.width;
  // Not onto an edge that leads to the same port.
  const isShared = edges.some((edge) =>
    chip.kind === "out" ? edge.src === chip.node && edge.out === chip.port : edge.tgt === chip.node && edge.in === chip.port,
  );
  chip.y = at.y - CHIP_HEIGHT / 2 - (isShared ? CHIP_HEIGHT : 0);
  chip.height = CHIP_HEIGHT;
  chip.port = at;
}

/** Edges that lead to the left go below everything; but not where somebody has placed the nodes one above the other. */
function routeBackEdges(edges, bottom, isPlaced) {
  let below = bottom + 22;
  for (const edge of edges) {
    if (edge.to.x > edge.from.x + 8) continue;
    if (isPlaced && Math.abs(edge.to.y - edge.from.y) > STEEP) continue;
    edge.below = below;
    below += 12;
  }
}

/** Moves everything into view. */
function frame(nodes, edges, chips) {
  const lefts = [...nodes, ...chips].map((it) => it.x);
  const rights = [...nodes, ...chips].map((it) => it.x + it.width);
  const bottoms = [...nodes.map((node) => node.y + node.height), ...edges.map((edge) => edge.below ?? 0)];
  const loops = edges.some((edge) => edge.below) ? 30 : 0;
  const left = Math.min(...lefts) - MARGIN - loops;
  const top = Math.min(...nodes.map((node) => node.y)) - MARGIN;
  const width = Math.max(...rights) - left + MARGIN + loops;
  return { nodes, edges, chips, left, top, width, height: Math.max(...bottoms) - top + MARGIN };
}
